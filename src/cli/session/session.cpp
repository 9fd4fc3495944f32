#include "cli/session/session.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "base/output.hpp"
#include "base/process.hpp"
#include "cli/commands/command.hpp"
#include "cli/commands/help.hpp"

namespace molecule::cli {

namespace {

using platform::Errc;

int code_of(Errc code) {
  switch (code) {
    case Errc::unauthorized:
      return exit_code::refused;
    case Errc::not_found:
    case Errc::gone:
      return exit_code::not_found;
    case Errc::unreachable:
    case Errc::timeout:
    case Errc::connection_lost:
    case Errc::not_the_platform:
      return exit_code::unreachable;
    default:
      return exit_code::failed;
  }
}

std::string_view next_step(const platform::Error& error) {
  switch (error.code) {
    case Errc::unauthorized:
      return "Create a new token on the canvas, Tokens tab, and run `molecule-mcp setup` with it.";
    case Errc::unreachable:
    case Errc::timeout:
    case Errc::connection_lost:
      return error.may_have_arrived
                 ? "It may have arrived all the same. `molecule-mcp doctor` checks the connection."
                 : "`molecule-mcp doctor` checks the connection.";
    case Errc::not_the_platform:
      return "`molecule-mcp doctor` checks whether PLATFORM_URL is the platform's address.";
    case Errc::gone:
      return "The workspace was removed: run `molecule-mcp setup` for another one.";
    default:
      return {};
  }
}

}  // namespace

Session::Session(workspace::Config chosen) : config(std::move(chosen)) {}

awaitable<void> Session::keep(awaitable<int> command) {
  auto code = co_await std::move(command);
  exit_code_ = code;
}

void Session::fail(std::exception_ptr error) {
  failure_ = std::move(error);
}

int Session::run(awaitable<int> command) {
  process::open_standard_streams();
  tasks.spawn("command", keep(std::move(command)));
  while (!exit_code_ && !failure_) loop_.run_one();
  // The reports to the platform that go beside an answer end soon; what hangs is left.
  constexpr std::chrono::seconds patience(2);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!failure_ && tasks.size() > 0 && loop_.run_one_until(deadline) > 0) {
  }
  tasks.cancel_all();
  while (tasks.size() > 0 && loop_.run_one_until(deadline + patience) > 0) {
  }
  workspaces.release();
  if (failure_) std::rethrow_exception(failure_);
  return *exit_code_;
}

int report(std::string_view what, const platform::Error& error) {
  std::string line = fmt::format("{}: {}", what, error.message);
  if (!error.hint.empty()) line += fmt::format(" ({})", error.hint);
  say_failure(line, next_step(error));
  return code_of(error.code);
}

int report(std::string_view what, const workspace::StoreError& error) {
  say_failure(fmt::format("{}: {}", what, error.what()));
  return exit_code::failed;
}

int finish(std::string_view text) {
  return output::print(text) ? exit_code::done : exit_code::failed;
}

}  // namespace molecule::cli
