#pragma once

#include <exception>
#include <optional>
#include <string_view>

#include "base/async/clock.hpp"
#include "base/async/tasks.hpp"
#include "net/http_client.hpp"
#include "platform/error.hpp"
#include "tools/tools.hpp"
#include "workspace/store/store_error.hpp"
#include "workspace/workspaces.hpp"

namespace molecule::cli {

/// What a command works with: the workspaces, and a loop that lives as long as the command. The
/// workspaces are not started: a command keeps nobody online unless it starts them itself.
class Session {
 public:
  explicit Session(workspace::Config config);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Runs the command, lets its reports end, and returns its exit code.
  int run(awaitable<int> command);

  workspace::Workspace& first() { return workspaces.first(); }

  const workspace::Config config;

 private:
  asio::io_context loop_{1};

 public:
  SystemClock clock;
  net::HttpClient http{loop_.get_executor()};
  workspace::Workspaces workspaces{config, loop_.get_executor(), http, clock};
  TaskGroup tasks{loop_.get_executor(), clock,
                  [this](std::string_view, std::exception_ptr error) { fail(std::move(error)); }};
  tools::Services services{clock, config, workspaces, tasks};

 private:
  awaitable<void> keep(awaitable<int> command);
  void fail(std::exception_ptr error);

  std::optional<int> exit_code_;
  std::exception_ptr failure_;
};

/// Says why a call to the platform failed and what to do next; returns the exit code. `what` begins
/// the line: `the message was not sent`.
int report(std::string_view what, const platform::Error& error);
/// The same for the inbox's file.
int report(std::string_view what, const workspace::StoreError& error);

/// Prints the data of a command; the exit code.
int finish(std::string_view text);

}  // namespace molecule::cli
