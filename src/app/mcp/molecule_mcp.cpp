// molecule-mcp: the entry point. serve.cpp has the server.

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>

#include "app/mcp/command_line.hpp"
#include "app/mcp/serve.hpp"
#include "base/log.hpp"
#include "base/output.hpp"
#include "base/process.hpp"
#include "workspace/config/config.hpp"

namespace {

using namespace molecule;

/// The databases of messages and of files, each with its log and its shared memory; the lock file
/// of the sessions, opened by the inbox and by the files; the status record.
constexpr std::uint64_t files_per_workspace = 9;
/// Standard streams, connections, and files that are open briefly.
constexpr std::uint64_t other_files = 40;

/// Many workspaces need more open files than the usual soft limit of 1,024.
void raise_file_limit(std::uint64_t workspaces) {
  if (workspaces < 2) return;
  const std::uint64_t limit = process::raise_open_files_limit();
  const std::uint64_t wanted = workspaces * files_per_workspace + other_files;
  if (limit >= wanted) return;
  log::warning(
      "{} workspaces need about {} open files, but the limit is {}: some may stay offline; "
      "raise it (`ulimit -n {}`)",
      workspaces, wanted, limit, wanted);
}

int serve(pid_t parent, mcp::Era era, std::optional<log::Level> level) {
  auto config = workspace::load_config(workspace::process_environment());
  if (!config.ok()) {
    log::error("the configuration is missing or not valid:");
    for (const std::string& problem : config.error()) log::error("{}", problem);
    log::error("run `molecule-mcp setup`, or see `molecule-mcp help environment`");
    return 2;
  }
  if (config->verbose && !level) log::set_level(log::Level::info);
  raise_file_limit(config->workspaces.size());
  return app::serve(*config, parent, era);
}

}  // namespace

int main(int argc, char** argv) {
  const pid_t parent = process::parent();
  process::keep_memory_private();
  process::survive_failed_writes();
  try {
    const app::CommandLine line = app::parse_command_line(
        {argv + (argc > 0 ? 1 : 0), static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)});
    const std::optional<log::Level> level = log::level_from(std::getenv(log::level_variable));
    if (level) log::set_level(*level);
    if (line.command == nullptr) {
      if (line.exit_code != 0) return line.exit_code;
      return output::print(line.text) ? 0 : 1;
    }
    if (line.command->run != nullptr) return line.command->run(line.arguments);
    return serve(parent, line.era, level);
  } catch (const std::exception& error) {
    log::error("internal error: {}", error.what());
    return 1;
  }
}
