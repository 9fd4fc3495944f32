// molecule-mcp: the entry point. serve.cpp has the server.

#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "app/mcp/command_line.hpp"
#include "app/mcp/daemon.hpp"
#include "app/mcp/file_limit.hpp"
#include "app/mcp/serve.hpp"
#include "base/log.hpp"
#include "base/output.hpp"
#include "base/process.hpp"
#include "workspace/config/config.hpp"

namespace {

using namespace molecule;

int serve(pid_t parent, mcp::Era era, std::optional<log::Level> level) {
  app::ServeOptions options{
      .parent = parent, .era = era, .environment = workspace::process_environment()};
  auto config = workspace::load_config(options.environment);
  if (!config.ok()) {
    log::error("the configuration is missing or not valid:");
    for (const std::string& problem : config.error()) log::error("{}", problem);
    log::error("run `molecule-mcp setup`, or see `molecule-mcp help environment`");
    options.problem = app::problem_text(config.error());
    workspace::Config provisional = workspace::provisional_config(options.environment);
    return app::serve(std::move(provisional), std::move(options));
  }
  if (config->verbose && !level) log::set_level(log::Level::info);
  app::raise_file_limit(config->workspaces.size());
  return app::serve(std::move(*config), std::move(options));
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
    if (line.command->name == "daemon") return app::daemon_main(line.rest);
    return serve(parent, line.era, level);
  } catch (const std::exception& error) {
    log::error("internal error: {}", error.what());
    return 1;
  }
}
