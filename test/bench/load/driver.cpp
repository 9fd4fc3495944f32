#include "bench/load/driver.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <system_error>

namespace molecule::bench {

namespace {

constexpr double nanoseconds_per_second = 1e9;

std::int64_t after(double seconds) {
  return now() + static_cast<std::int64_t>(seconds * nanoseconds_per_second);
}

}  // namespace

std::int64_t now() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

Driver::Driver(std::uint16_t port) : port_(port), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll");
}

Driver::~Driver() {
  ::close(epoll_);
}

std::size_t Driver::open() {
  const std::size_t index = connections_.size();
  connections_.push_back(std::make_unique<Connection>(port_));
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLET;
  event.data.u64 = index;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_.back()->descriptor(), &event) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll");
  }
  return index;
}

void Driver::turn(int milliseconds, const Answered& answered) {
  std::array<epoll_event, 256> events{};
  const int count = ::epoll_wait(epoll_, events.data(), events.size(), milliseconds);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events.at(static_cast<std::size_t>(i));
    const std::size_t index = event.data.u64;
    if (connections_.at(index)->ready((event.events & EPOLLOUT) != 0)) answered(index);
  }
}

void Outcome::count(int status, std::int64_t nanoseconds) {
  if (status == 200 || status == 201) return latencies.add(nanoseconds);
  ++failures;
  failed_status = status;
}

Outcomes run_closed(const Load& load, std::size_t connections, const std::vector<Work>& pattern) {
  struct Asked {
    Work work = Work::health;
    std::int64_t at = 0;
  };
  Outcomes outcomes;
  Driver driver(load.port);
  std::vector<Asked> asked(connections);
  std::uint64_t number = 0;
  const auto ask = [&](std::size_t index) {
    const Work work = pattern.at(number % pattern.size());
    const Agent& agent = load.agents.at(number % load.agents.size());
    const Agent& target = load.agents.at((number + 1) % load.agents.size());
    asked.at(index) = {.work = work, .at = now()};
    driver.connection(index).send(request_of(work, agent, target, ++number, load.port));
  };
  const std::int64_t end = after(load.seconds);
  for (std::size_t i = 0; i < connections; ++i) ask(driver.open());
  while (now() < end) {
    driver.turn(100, [&](std::size_t index) {
      const Asked& done = asked.at(index);
      outcomes.at(static_cast<std::size_t>(done.work))
          .count(driver.connection(index).status(), now() - done.at);
      if (now() < end) ask(index);
    });
  }
  return outcomes;
}

namespace {

/// One kind of work at a fixed rate: agents take turns.
struct Schedule {
  Work work;
  double rate;
  std::int64_t start = 0;
  std::uint64_t sent = 0;

  /// When the next one is due.
  std::int64_t due() const {
    return start +
           static_cast<std::int64_t>(static_cast<double>(sent) * nanoseconds_per_second / rate);
  }
};

/// A request that is due, and perhaps waits for the connection.
struct Due {
  Work work;
  std::int64_t at;
  std::string request;
};

class Offered {
 public:
  Offered(const Load& load, const Rates& rates, std::size_t connections, std::size_t streams)
      : load_(load), driver_(load.port), queues_(connections) {
    open_all(connections, streams);
    for (const Schedule& schedule : {Schedule{.work = Work::poll, .rate = rates.polls},
                                     Schedule{.work = Work::heartbeat, .rate = rates.heartbeats},
                                     Schedule{.work = Work::message, .rate = rates.messages}}) {
      if (schedule.rate > 0) schedules_.push_back(schedule);
    }
  }

  Outcomes run() {
    const std::int64_t start = now();
    for (Schedule& schedule : schedules_) schedule.start = start;
    const std::int64_t end = after(load_.seconds);
    while (now() < end) {
      for (Schedule& schedule : schedules_) send_due(schedule);
      driver_.turn(1, [this](std::size_t index) { answered(index); });
    }
    // What is late counts as well, with the time so far.
    for (const std::deque<Due>& queue : queues_) {
      for (const Due& due : queue) {
        outcomes_.at(static_cast<std::size_t>(due.work)).latencies.add(now() - due.at);
      }
    }
    return std::move(outcomes_);
  }

 private:
  /// In steps, as a server's queue of new connections is short.
  void open_all(std::size_t connections, std::size_t streams) {
    constexpr std::size_t step = 200;
    std::size_t waiting = 0;
    const auto opened = [&](std::size_t index) {
      const int status = driver_.connection(index).status();
      if (status != 200) throw std::runtime_error("refused with " + std::to_string(status));
      --waiting;
    };
    for (std::size_t i = 0; i < connections + streams; ++i) {
      const std::size_t index = driver_.open();
      const Agent& agent = load_.agents.at(i % connections % load_.agents.size());
      const bool stream = i >= connections;
      if (stream) driver_.connection(index).follow();
      driver_.connection(index).send(
          stream ? stream_request(agent, load_.port)
                 : request_of(Work::heartbeat, agent, agent, i, load_.port));
      ++waiting;
      while (waiting >= step || (i + 1 == connections + streams && waiting > 0)) {
        driver_.turn(100, opened);
      }
    }
  }

  void send_due(Schedule& schedule) {
    // Kinds of work visit the agents in different orders.
    const std::size_t offset = static_cast<std::size_t>(schedule.work) * 37;
    for (std::int64_t due = schedule.due(); due <= now(); due = schedule.due()) {
      const std::size_t index = (schedule.sent * 7 + offset) % queues_.size();
      const Agent& agent = load_.agents.at(index % load_.agents.size());
      const Agent& target = load_.agents.at((index + 1) % load_.agents.size());
      ++schedule.sent;
      queues_.at(index).push_back(
          {.work = schedule.work,
           .at = due,
           .request = request_of(schedule.work, agent, target, ++number_, load_.port)});
      if (queues_.at(index).size() == 1) send_first(index);
    }
  }

  void send_first(std::size_t index) {
    driver_.connection(index).send(queues_.at(index).front().request);
  }

  void answered(std::size_t index) {
    if (index >= queues_.size()) return;  // an event stream
    const Due& done = queues_.at(index).front();
    outcomes_.at(static_cast<std::size_t>(done.work))
        .count(driver_.connection(index).status(), now() - done.at);
    queues_.at(index).pop_front();
    if (!queues_.at(index).empty()) send_first(index);
  }

  const Load& load_;
  Driver driver_;
  std::vector<std::deque<Due>> queues_;
  std::vector<Schedule> schedules_;
  Outcomes outcomes_;
  std::uint64_t number_ = 0;
};

}  // namespace

Outcomes run_offered(const Load& load, const Rates& rates, std::size_t connections,
                     std::size_t streams, const std::function<void()>& connected) {
  Offered offered(load, rates, connections, streams);
  connected();
  return offered.run();
}

namespace {

/// Sends `count` requests over some connections; `done` gets the number of each with its answer.
void send_all(std::uint16_t port, std::size_t count,
              const std::function<std::string(std::size_t)>& request,
              const std::function<void(std::size_t, const Connection&)>& done) {
  constexpr std::size_t most = 64;
  Driver driver(port);
  std::size_t asked = 0;
  std::size_t answered = 0;
  std::vector<std::size_t> numbers(std::min(count, most));
  const auto ask = [&](std::size_t index) {
    if (asked == count) return;
    numbers.at(index) = asked;
    driver.connection(index).send(request(asked++));
  };
  for (std::size_t i = 0; i < numbers.size(); ++i) ask(driver.open());
  while (answered < count) {
    driver.turn(100, [&](std::size_t index) {
      const Connection& connection = driver.connection(index);
      if (connection.status() >= 300) {
        throw std::runtime_error("refused: " + std::string(connection.body()));
      }
      ++answered;
      done(numbers.at(index), connection);
      ask(index);
    });
  }
}

}  // namespace

std::vector<Agent> create_agents(std::uint16_t port, std::size_t count,
                                 std::string_view admin_token) {
  std::vector<Agent> agents;
  send_all(
      port, count, [&](std::size_t i) { return create_request(i, admin_token, port); },
      [&](std::size_t, const Connection& answer) {
        agents.push_back(created_agent(answer.body()));
      });
  return agents;
}

void fetch_cursors(std::uint16_t port, std::vector<Agent>& agents) {
  send_all(
      port, agents.size(), [&](std::size_t i) { return newest_request(agents.at(i), port); },
      [&](std::size_t i, const Connection& answer) {
        agents.at(i).cursor = newest_message(answer.body());
      });
}

}  // namespace molecule::bench
