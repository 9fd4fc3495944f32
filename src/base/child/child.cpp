#include "base/child/child.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <asio/buffer.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/signal_set.hpp>
#include <asio/write.hpp>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/child/spawn.hpp"

namespace molecule {

namespace {

constexpr std::size_t piece_bytes = 65'536;
/// Of stderr only the end is of use to people.
constexpr std::size_t max_error_bytes = 4096;
/// What a child left behind in its group gets this long after SIGTERM.
constexpr std::chrono::milliseconds group_grace{1000};
constexpr std::chrono::milliseconds group_check{20};

bool group_exists(pid_t group) {
  return ::kill(-group, 0) == 0;
}

std::string search_path_of(const std::vector<std::string>& environment) {
  constexpr std::string_view name = "PATH=";
  const auto found = std::ranges::find_if(
      environment, [name](const std::string& one) { return one.starts_with(name); });
  return found != environment.end() ? found->substr(name.size()) : "/usr/bin:/bin";
}

}  // namespace

struct Children::Child {
  Child(const asio::any_io_executor& executor, Clock& clock, const Spawned& spawned, Output take_,
        Errors hear_)
      : process(spawned.process),
        input(executor, spawned.input),
        output(executor, spawned.output),
        errors(executor, spawned.errors),
        take(std::move(take_)),
        hear(std::move(hear_)),
        changed(clock) {}

  void keep_errors(std::string_view piece) {
    if (hear) hear(piece);
    error_text += piece;
    if (error_text.size() > max_error_bytes) {
      error_text.erase(0, error_text.size() - max_error_bytes);
    }
  }
  void take_output(std::string_view piece) {
    if (!flooded && !take(piece)) {
      flooded = true;
      changed.notify_all();
    }
  }
  /// What the pipe still holds once the child has ended, and no more.
  void drain(asio::posix::stream_descriptor& from, bool is_output) {
    std::array<char, piece_bytes> bytes{};
    while (!flooded) {
      const ssize_t size = ::read(from.native_handle(), bytes.data(), bytes.size());
      if (size <= 0) return;
      const std::string_view piece(bytes.data(), static_cast<std::size_t>(size));
      is_output ? take_output(piece) : keep_errors(piece);
    }
  }
  void close() {
    asio::error_code ignored;
    for (auto* stream : {&input, &output, &errors}) (void)stream->close(ignored);
  }

  pid_t process;
  asio::posix::stream_descriptor input;
  asio::posix::stream_descriptor output;
  asio::posix::stream_descriptor errors;
  Output take;
  Errors hear;
  Event changed;
  std::string error_text;
  /// As waitpid has it, once it has ended.
  std::optional<int> status;
  bool flooded = false;
  /// From `stop`: when to kill it.
  std::optional<std::chrono::milliseconds> stop_grace;
};

/// A child that runs, until the end of its scope; then its group is killed if it still does.
class Children::Listed {
 public:
  Listed(Children& children, std::shared_ptr<Child> child)
      : children_(children), child_(std::move(child)) {
    children_.running_.push_back(child_);
  }
  Listed(const Listed&) = delete;
  Listed& operator=(const Listed&) = delete;
  ~Listed() {
    for (const TaskGroup::Id task : tasks) children_.tasks_.cancel(task);
    if (!child_->status) {
      ::kill(-child_->process, SIGKILL);
      ::waitpid(child_->process, nullptr, 0);
    }
    child_->close();
    children_.running_.remove(child_);
  }

  std::vector<TaskGroup::Id> tasks;

 private:
  Children& children_;
  std::shared_ptr<Child> child_;
};

Children::Children(asio::any_io_executor executor, Clock& clock, TaskGroup& tasks)
    : executor_(std::move(executor)), clock_(clock), tasks_(tasks) {}

Children::~Children() {
  for (const auto& child : running_) {
    if (!child->status) ::kill(-child->process, SIGKILL);
  }
}

awaitable<void> Children::reap() {
  asio::signal_set signals(executor_, SIGCHLD);
  while (true) {
    for (const auto& child : running_) {
      int status = 0;
      if (child->status || ::waitpid(child->process, &status, WNOHANG) != child->process) continue;
      child->status = status;
      child->changed.notify_all();
    }
    auto [error, signal] = co_await signals.async_wait(as_tuple);
    if (error) co_return;
  }
}

awaitable<void> Children::write_input(std::shared_ptr<Child> child, std::string input) {
  [[maybe_unused]] auto result =
      co_await asio::async_write(child->input, asio::buffer(input), as_tuple);
  // A child that reads to the end must see one; one that does not read is its own affair.
  asio::error_code ignored;
  (void)child->input.close(ignored);
}

awaitable<void> Children::read_output(std::shared_ptr<Child> child) {
  std::vector<char> bytes(piece_bytes);
  while (!child->flooded) {
    auto [error, size] = co_await child->output.async_read_some(asio::buffer(bytes), as_tuple);
    if (error) co_return;
    child->take_output({bytes.data(), size});
  }
}

awaitable<void> Children::read_errors(std::shared_ptr<Child> child) {
  std::vector<char> bytes(max_error_bytes);
  while (true) {
    auto [error, size] = co_await child->errors.async_read_some(asio::buffer(bytes), as_tuple);
    if (error) co_return;
    child->keep_errors({bytes.data(), size});
  }
}

/// Waits until the child has ended, and ends it where that is due.
awaitable<void> Children::end_of(std::shared_ptr<Child> child) {
  while (!child->status) co_await child->changed.wait();
}

awaitable<void> Children::end_group(pid_t group) {
  if (!group_exists(group)) co_return;
  ::kill(-group, SIGTERM);
  const Clock::time_point deadline = clock_.now() + group_grace;
  while (group_exists(group) && clock_.now() < deadline) co_await sleep_for(clock_, group_check);
  if (group_exists(group)) ::kill(-group, SIGKILL);
}

awaitable<ChildEnd> Children::run(ChildCommand command, Output output, Started started,
                                  Errors errors) {
  ChildEnd end;
  const std::string program =
      find_program(command.argv.front(), search_path_of(command.environment));
  Spawned spawned;
  if (program.empty()) {
    spawned.problem = command.argv.front() + " is not in PATH";
  } else {
    spawned = spawn(program, command.argv, command.environment, command.working_directory);
  }
  if (!spawned.problem.empty()) {
    end.how = ChildEnd::How::not_started;
    end.problem = std::move(spawned.problem);
    co_return end;
  }
  auto child =
      std::make_shared<Child>(executor_, clock_, spawned, std::move(output), std::move(errors));
  Listed listed(*this, child);
  started(child->process);
  listed.tasks = {tasks_.spawn("child input", write_input(child, std::move(command.input))),
                  tasks_.spawn("child output", read_output(child)),
                  tasks_.spawn("child errors", read_errors(child))};
  const Clock::time_point deadline = clock_.now() + command.deadline;
  std::optional<ChildEnd::How> ended;
  Clock::time_point next = deadline;
  while (!child->status) {
    if (!ended && child->flooded) ended = ChildEnd::How::flooded;
    if (!ended && child->stop_grace) ended = ChildEnd::How::stopped;
    if (!ended && clock_.now() >= deadline) ended = ChildEnd::How::deadline;
    if (ended && next == deadline) {
      ::kill(-child->process, SIGTERM);
      next = clock_.now() + child->stop_grace.value_or(command.kill_grace);
    } else if (ended && clock_.now() >= next) {
      ::kill(-child->process, SIGKILL);
      co_await end_of(child);
      break;
    }
    [[maybe_unused]] auto notified = co_await child->changed.wait_until(next);
  }
  child->drain(child->output, true);
  child->drain(child->errors, false);
  co_await end_group(child->process);
  if (!ended && child->flooded) ended = ChildEnd::How::flooded;
  const int status = *child->status;
  end.how = ended.value_or(WIFEXITED(status) ? ChildEnd::How::exited : ChildEnd::How::signalled);
  end.code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
  end.errors = std::move(child->error_text);
  co_return end;
}

void Children::stop(std::chrono::milliseconds grace) {
  for (const auto& child : running_) {
    child->stop_grace = grace;
    child->changed.notify_all();
  }
}

}  // namespace molecule
