#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/async/asio.hpp"
#include "base/async/clock.hpp"
#include "base/async/event.hpp"
#include "base/async/tasks.hpp"

namespace molecule {

/// A program to run.
struct ChildCommand {
  /// The program, looked up in PATH, and its arguments.
  std::vector<std::string> argv;
  /// Its whole environment, `NAME=value` each.
  std::vector<std::string> environment;
  std::filesystem::path working_directory;
  /// Written to its stdin, which is closed then.
  std::string input;
  /// Counted from the start.
  std::chrono::milliseconds deadline{0};
  /// From SIGTERM to SIGKILL.
  std::chrono::milliseconds kill_grace{10'000};
};

/// How a child ended.
struct ChildEnd {
  enum class How {
    exited,       ///< `code` is the exit code
    signalled,    ///< `code` is the signal
    not_started,  ///< `problem` says why
    deadline,     ///< it did not end in time, and was ended
    flooded,      ///< it wrote more than the caller takes, and was ended
    stopped       ///< `Children::stop` ended it
  };
  How how = How::exited;
  int code = 0;
  std::string problem = {};
  /// The end of what it wrote to stderr.
  std::string errors = {};
};

/// Runs programs on the loop. Each has a session and a process group of its own, so that it has no
/// terminal and everything that it starts ends with it; on Linux it dies with this process. It gets
/// no descriptor but the three standard ones. Reading ends when the child itself ends, whoever else
/// still holds its pipes.
class Children {
 public:
  Children(asio::any_io_executor executor, Clock& clock, TaskGroup& tasks);
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;
  /// Kills whatever still runs.
  ~Children();

  /// Notices the end of children. Ends only by cancellation.
  awaitable<void> reap();

  /// Takes a piece of stdout; false if that is too much.
  using Output = std::function<bool(std::string_view piece)>;
  /// Hears a piece of stderr, whose end `ChildEnd` has too.
  using Errors = std::function<void(std::string_view piece)>;
  /// Told the process, which is the group's number too, right after the start.
  using Started = std::function<void(pid_t process)>;
  /// Runs one. Cancelling the task kills the whole group at once.
  awaitable<ChildEnd> run(ChildCommand command, Output output, Started started, Errors errors = {});

  /// Ends all that run: SIGTERM now, SIGKILL after `grace`.
  void stop(std::chrono::milliseconds grace);
  bool any() const { return !running_.empty(); }

 private:
  struct Child;
  class Listed;
  awaitable<void> write_input(std::shared_ptr<Child> child, std::string input);
  awaitable<void> read_output(std::shared_ptr<Child> child);
  awaitable<void> read_errors(std::shared_ptr<Child> child);
  awaitable<void> end_of(std::shared_ptr<Child> child);
  awaitable<void> end_group(pid_t group);

  asio::any_io_executor executor_;
  Clock& clock_;
  TaskGroup& tasks_;
  std::list<std::shared_ptr<Child>> running_;
};

}  // namespace molecule
