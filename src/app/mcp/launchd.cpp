#include "app/mcp/launchd.hpp"

#include <signal.h>
#include <sys/stat.h>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <tuple>

#include "base/log.hpp"
#include "base/process.hpp"
#include "cli/service/service_file.hpp"

namespace molecule::app {

namespace {

constexpr std::chrono::seconds check_interval{5};
/// The name under which `brew services` runs what the formula says.
constexpr std::string_view homebrew_label = "homebrew.mxcl.molecule-mcp";

/// Inode, size and time of the last change; zeros for a file that is not there.
using FileState = std::tuple<std::uint64_t, std::int64_t, std::int64_t>;

std::vector<FileState> states_of(const std::vector<std::filesystem::path>& files) {
  std::vector<FileState> states;
  for (const std::filesystem::path& file : files) {
    struct stat status{};
    if (::stat(file.c_str(), &status) != 0) status = {};
    states.emplace_back(status.st_ino, status.st_size, status.st_ctime);
  }
  return states;
}

/// The daemon holds them while it ends.
void unblock_signals(const std::vector<int>& numbers) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : numbers) sigaddset(&signals, number);
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

}  // namespace

void wait_under_launchd(const std::vector<std::filesystem::path>& files) {
  const char* service = std::getenv("XPC_SERVICE_NAME");
  const std::string_view name = service != nullptr ? service : "";
  if (name != cli::agent_label && name != homebrew_label) return;
  log::error("a restart would not help: waiting until the configuration or the token changes");
  const std::vector<FileState> before = states_of(files);
  asio::io_context loop{1};
  asio::signal_set signals(loop);
  const std::vector<int> numbers = process::end_signals();
  for (const int number : numbers) signals.add(number);
  signals.async_wait([](const asio::error_code&, int) {});
  unblock_signals(numbers);
  while (loop.run_one_for(check_interval) == 0 && states_of(files) == before) {
  }
}

}  // namespace molecule::app
