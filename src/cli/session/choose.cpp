#include "cli/session/choose.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "base/json/reader.hpp"
#include "base/log.hpp"
#include "base/text/text.hpp"
#include "cli/commands/help.hpp"
#include "workspace/config/state_folder.hpp"

namespace molecule::cli {

namespace {

using workspace::WorkspaceConfig;

int invalid(const std::vector<std::string>& problems) {
  log::error("the configuration is missing or not valid:");
  for (const std::string& problem : problems) log::error("{}", problem);
  log::error("run `molecule-mcp setup`, or see `molecule-mcp help environment`");
  return exit_code::usage;
}

/// What is known without a valid configuration: if no workspace is named, every one that has a
/// state folder here.
Result<workspace::Config, int> read_folders() {
  workspace::Reading reading = workspace::read_config(workspace::process_environment());
  if (!reading.knows_folders || (reading.several && !reading.problems.empty())) {
    return Failure{invalid(reading.problems)};
  }
  auto& workspaces = reading.config.workspaces;
  if (reading.several || !workspaces.front().id.empty()) return std::move(reading.config);
  const WorkspaceConfig unnamed = std::move(workspaces.front());
  workspaces.clear();
  for (workspace::WorkspaceFolder& one : workspace::list_state_folders(reading.state_folder)) {
    WorkspaceConfig& found = workspaces.emplace_back(unnamed);
    found.id = std::move(one.id);
    found.upload_folder = one.folder / "uploads";
    found.state_folder = std::move(one.folder);
  }
  return std::move(reading.config);
}

Result<workspace::Config, int> read_all() {
  auto config = workspace::load_config(workspace::process_environment());
  if (!config.ok()) return Failure{invalid(config.error())};
  return std::move(*config);
}

std::string listed(const std::vector<WorkspaceConfig>& workspaces) {
  std::string names;
  for (const WorkspaceConfig& one : workspaces) {
    names += fmt::format("\n  {}  {}", one.id, card_name(one));
  }
  return names;
}

}  // namespace

std::string card_name(const WorkspaceConfig& workspace) {
  json::Document card;
  if (!card.parse(workspace.agent_card).ok()) return {};
  return text::sanitize_name(card.root()["name"].string_or(""));
}

Result<workspace::Config, int> choose_workspaces(const Arguments& arguments, Need need) {
  auto config = need == Need::token ? read_all() : read_folders();
  if (!config.ok() || !arguments.has("--workspace")) return config;
  const std::string wanted = text::lower(text::trim(arguments.value("--workspace")));
  std::vector<WorkspaceConfig> chosen;
  for (const WorkspaceConfig& one : config->workspaces) {
    if (wanted.empty()) break;
    const bool named = text::fold_case(card_name(one)) == text::fold_case(wanted);
    if (named || one.id.starts_with(wanted)) chosen.push_back(one);
  }
  if (chosen.size() == 1) {
    config->workspaces = std::move(chosen);
    return config;
  }
  say_failure(
      fmt::format("{} workspace of the configuration is meant by --workspace {}; there are:{}",
                  chosen.empty() ? "no" : "more than one",
                  text::one_line(arguments.value("--workspace")), listed(config->workspaces)));
  return Failure{chosen.empty() ? exit_code::not_found : exit_code::usage};
}

Result<workspace::Config, int> choose_one(const Arguments& arguments, Need need) {
  auto config = choose_workspaces(arguments, need);
  if (!config.ok() || config->workspaces.size() == 1) return config;
  say_failure(fmt::format("several workspaces are configured: choose one with --workspace:{}",
                          listed(config->workspaces)));
  return Failure{exit_code::usage};
}

}  // namespace molecule::cli
