// The delivery rules (docs/spec/delivery.md): as a table, and played by three sessions at random.

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "workspace/store/delivery.hpp"

using namespace molecule::workspace::delivery;

namespace {

constexpr Time second = 1'000'000;
constexpr Limits limits{.lease = 600 * second, .announcement = 12 * second};
constexpr Session self = 1;
constexpr Session other = 2;

Viewer at(Time now) {
  return {.self = self, .now = now, .limits = limits};
}

}  // namespace

TEST_CASE("delivery: what a record means to a session") {
  constexpr Time now = 10'000 * second;
  const auto state = [](Record record) { return state_of(record, at(now)); };
  CHECK(state({}) == State::free);
  CHECK(state({.asked_by = self}) == State::own_answer);
  CHECK(state({.asked_by = other}) == State::reserved_elsewhere);
  CHECK(state({.announced_to = self, .announced_at = now}) == State::announced_here);
  CHECK(state({.announced_to = other, .announced_at = now - 11 * second}) ==
        State::announced_elsewhere);
  CHECK(state({.announced_to = other, .announced_at = now - 12 * second}) == State::free);
  CHECK(state({.asked_by = self, .announced_to = other, .announced_at = now}) == State::own_answer);
  CHECK(state({.holder = self, .given_at = now, .leased_at = now}) == State::open_here);
  CHECK(state({.holder = self, .given_at = now - limits.lease, .leased_at = now}) ==
        State::due_here);
  CHECK(state({.holder = other, .given_at = 0, .leased_at = now - limits.lease + 1}) ==
        State::held_elsewhere);
  CHECK(state({.holder = other, .given_at = 0, .leased_at = now - limits.lease}) == State::free);
  CHECK(state({.asked_by = self, .holder = other, .leased_at = now}) == State::held_elsewhere);
  const Record claimed{.asked_by = other,
                       .announced_to = other,
                       .announced_at = now,
                       .holder = other,
                       .leased_at = now};
  const auto ended = [](Session session) { return session != other; };
  CHECK(state(without_ended(claimed, ended)) == State::free);
}

TEST_CASE("delivery: the table of the specification") {
  struct Row {
    State state;
    std::array<Step, 4> steps;  // wait, push, peek, act
    std::array<Step, 4> while_other_waits;
  };
  constexpr auto none = Step::nothing;
  constexpr auto push = Step::announce;
  constexpr auto give = Step::give;
  constexpr auto keep = Step::keep;
  constexpr auto deny = Step::refuse;
  const std::vector<Row> table = {
      {State::free, {give, push, give, give}, {give, none, none, give}},
      {State::own_answer, {give, push, give, give}, {give, push, give, give}},
      {State::announced_here, {give, none, give, give}, {give, none, give, give}},
      {State::announced_elsewhere, {none, none, none, give}, {none, none, none, give}},
      {State::open_here, {none, none, keep, keep}, {none, none, keep, keep}},
      {State::due_here, {give, none, give, give}, {give, none, give, give}},
      {State::held_elsewhere, {none, none, none, deny}, {none, none, none, deny}},
      {State::reserved_elsewhere, {none, none, none, deny}, {none, none, none, deny}},
  };
  for (const Row& row : table) {
    for (std::size_t event = 0; event < 4; ++event) {
      CAPTURE(static_cast<int>(row.state));
      CAPTURE(event);
      CHECK(next(row.state, static_cast<Event>(event), false) == row.steps.at(event));
      CHECK(next(row.state, static_cast<Event>(event), true) == row.while_other_waits.at(event));
    }
  }
}

TEST_CASE("delivery: what a step changes") {
  const Viewer viewer = at(77);
  const Record pushed = after({.asked_by = self}, Step::announce, viewer);
  CHECK(pushed == Record{.asked_by = self, .announced_to = self, .announced_at = 77});
  const Record given = after(pushed, Step::give, viewer);
  CHECK(given == Record{.asked_by = self, .holder = self, .given_at = 77, .leased_at = 77});
  const Record kept = after(given, Step::keep, at(99));
  CHECK(kept == Record{.asked_by = self, .holder = self, .given_at = 77, .leased_at = 99});
  CHECK(after(given, Step::nothing, at(99)) == given);
}

namespace {

/// Three agents on one workspace, one of them without pushes, that wait, answer, forget, end and
/// come back at random. The model beside the rules knows only what each agent was shown.
class World {
 public:
  explicit World(unsigned seed) : random_(seed) {
    for (std::size_t i = 0; i < agents_.size(); ++i) start(agents_.at(i), i != 2);
  }

  void play(int steps) {
    for (int i = 0; i < steps && problem.empty(); ++i) {
      now_ += step;
      if (chance(6)) arrive();
      if (chance(60)) fall_silent();
      for (Agent& agent : agents_) decide(agent);
      const std::size_t first = random_() % agents_.size();
      for (std::size_t k = 0; k < agents_.size(); ++k) {
        run(agents_.at((first + k) % agents_.size()));
      }
      check_patience();
    }
  }

  std::string problem;
  int given = 0;
  int answered = 0;
  int crashes = 0;

 private:
  static constexpr Time step = second / 2;

  struct Agent {
    Session session = 0;
    bool takes_pushes = false;
    bool sees_pushes = false;
    bool waits = false;
    Time waits_since = 0;
    Time looked_at = 0;
    std::set<int> pushed;
    std::map<int, Time> held_since;
    /// What it was shown and has not answered, and when.
    std::map<int, Time> open;
  };
  struct Message {
    Record record;
    Time free_since = 0;
    std::optional<Time> pushed_at;
    Session pushed_to = 0;
  };

  bool chance(unsigned of) { return random_() % of == 0; }
  bool alive(Session session) const {
    for (const Agent& agent : agents_) {
      if (agent.session == session) return true;
    }
    return false;
  }
  Viewer viewer(const Agent& agent) const {
    return {.self = agent.session, .now = now_, .limits = limits};
  }
  State state(const Agent& agent, const Message& message) const {
    const auto is_alive = [this](Session session) { return alive(session); };
    return state_of(without_ended(message.record, is_alive), viewer(agent));
  }
  bool another_waits(const Agent& agent) const {
    for (const Agent& one : agents_) {
      if (&one != &agent && one.waits) return true;
    }
    return false;
  }

  void start(Agent& agent, bool takes_pushes) {
    agent = Agent{};
    agent.session = ++last_session_;
    agent.takes_pushes = takes_pushes;
    // The user may not have set the host's flag: the push is lost then.
    agent.sees_pushes = takes_pushes && chance(2);
  }

  void arrive() {
    Message message{.record = {}, .free_since = now_, .pushed_at = {}, .pushed_to = 0};
    if (chance(3)) message.record.asked_by = agents_.at(random_() % agents_.size()).session;
    messages_[++last_message_] = message;
  }

  /// Nobody does anything for so long that what was given may be forgotten, and leases run out that
  /// were not renewed.
  void fall_silent() {
    now_ += (chance(2) ? 400 : 700) * second;
    for (Agent& agent : agents_) {
      agent.waits_since = now_;
      std::erase_if(agent.open, [this](const auto& one) {
        const auto found = messages_.find(one.first);
        return found != messages_.end() && now_ - found->second.record.leased_at >= limits.lease;
      });
    }
    for (auto& [id, message] : messages_) message.free_since = now_;
  }

  void decide(Agent& agent) {
    if (chance(120)) {
      ++crashes;
      const Session ended = agent.session;
      for (auto& [id, message] : messages_) {
        if (message.record.holder == ended || message.record.asked_by == ended) {
          message.free_since = now_;
        }
      }
      start(agent, agent.takes_pushes);
      return;
    }
    if (!agent.waits && chance(5)) {
      agent.waits = true;
      agent.waits_since = now_;
    } else if (agent.waits && chance(40)) {
      agent.waits = false;
    }
  }

  void give(Agent& agent, int id, Message& message, Event event) {
    const Step decided = next(state(agent, message), event, another_waits(agent));
    message.record = after(message.record, decided, viewer(agent));
    if (decided != Step::give) return;
    ++given;
    // What it was pushed for has happened.
    message.pushed_at.reset();
    const Session asker = message.record.asked_by;
    if (asker != 0 && asker != agent.session && alive(asker)) problem = "another session's answer";
    for (const Agent& one : agents_) {
      if (&one != &agent && one.open.contains(id)) problem = "two sessions at one message";
    }
    const auto before = agent.open.find(id);
    if (event == Event::wait && before != agent.open.end() &&
        now_ - before->second < limits.lease) {
      problem = "the same message again";
    }
    agent.open[id] = now_;
    agent.waits = agent.waits && event != Event::wait;
  }

  void wait(Agent& agent) {
    for (auto& [id, message] : messages_) {
      if (next(state(agent, message), Event::wait, false) != Step::give) continue;
      give(agent, id, message, Event::wait);
      return;
    }
  }

  void push(Agent& agent) {
    std::map<int, Time> held;
    const bool waited = agent.waits || another_waits(agent);
    for (auto& [id, message] : messages_) {
      if (agent.pushed.contains(id)) continue;
      if (next(state(agent, message), Event::push, false) != Step::announce) continue;
      const auto since = agent.held_since.find(id);
      const Time held_since = since == agent.held_since.end() ? now_ : since->second;
      if (waited && now_ - held_since < second) {
        held[id] = held_since;
        continue;
      }
      const bool fresh = message.pushed_at && now_ - *message.pushed_at < limits.announcement;
      if (fresh && alive(message.pushed_to) && message.pushed_to != agent.session &&
          message.record.asked_by != agent.session) {
        problem = "two pushes at once";
      }
      message.record = after(message.record, Step::announce, viewer(agent));
      message.pushed_at = now_;
      message.pushed_to = agent.session;
      agent.pushed.insert(id);
    }
    agent.held_since = held;
  }

  void answer(Agent& agent) {
    if (agent.open.empty()) return;
    const int id = agent.open.begin()->first;
    agent.open.erase(id);
    const auto found = messages_.find(id);
    if (found == messages_.end()) {
      problem = "answered twice";
      return;
    }
    const Step decided = next(state(agent, found->second), Event::act, another_waits(agent));
    if (decided == Step::refuse) {
      problem = "its own message is refused";
      return;
    }
    messages_.erase(found);
    ++answered;
    for (auto& [other_id, message] : messages_) {
      if (message.record.holder == agent.session) message.record.leased_at = now_;
    }
  }

  void peek(Agent& agent) {
    for (auto& [id, message] : messages_) {
      if (state(agent, message) != State::open_here) give(agent, id, message, Event::peek);
    }
  }

  void run(Agent& agent) {
    const bool look = chance(2) || now_ - agent.looked_at >= 2 * second;
    if (!look) return;
    agent.looked_at = now_;
    if (agent.waits) wait(agent);
    if (agent.takes_pushes) push(agent);
    if (agent.waits) return;
    if (agent.sees_pushes && !agent.pushed.empty() && chance(4)) peek(agent);
    if (!agent.sees_pushes && chance(30)) peek(agent);
    if (chance(3)) answer(agent);
  }

  /// A session that waits is given whatever is free within 15 s.
  void check_patience() {
    for (const Agent& agent : agents_) {
      if (!agent.waits) continue;
      for (const auto& [id, message] : messages_) {
        const State seen = state(agent, message);
        if (seen == State::held_elsewhere || seen == State::reserved_elsewhere ||
            seen == State::open_here) {
          continue;
        }
        const Time since = std::max(agent.waits_since, message.free_since);
        if (now_ - since > 15 * second) problem = "a session waits and a message lies there";
      }
    }
  }

  std::minstd_rand random_;
  std::array<Agent, 3> agents_;
  std::map<int, Message> messages_;
  Time now_ = 1'000 * second;
  Session last_session_ = 0;
  int last_message_ = 0;
};

}  // namespace

TEST_CASE("delivery: thousands of interleavings of three sessions, crashes included") {
  constexpr unsigned interleavings = 4000;
  int given = 0;
  int answered = 0;
  int crashes = 0;
  for (unsigned seed = 1; seed <= interleavings; ++seed) {
    World world(seed);
    world.play(150);
    CAPTURE(seed);
    REQUIRE(world.problem == "");
    given += world.given;
    answered += world.answered;
    crashes += world.crashes;
  }
  MESSAGE(interleavings, " interleavings: ", given, " given, ", answered, " answered, ", crashes,
          " crashes");
  CHECK(given > 10'000);
  CHECK(crashes > 1'000);
}
