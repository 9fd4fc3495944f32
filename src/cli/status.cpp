#include "cli/status.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "base/async/clock.hpp"
#include "base/json/writer.hpp"
#include "base/log.hpp"
#include "base/output.hpp"
#include "base/process.hpp"
#include "cli/age.hpp"
#include "workspace/config/state_folder.hpp"
#include "workspace/store/stored_state.hpp"

namespace molecule::cli {

namespace {

using workspace::OwnerState;
using workspace::StoredState;

std::string_view word(OwnerState state) {
  switch (state) {
    case OwnerState::none:
      return "none";
    case OwnerState::active:
      return "active";
    case OwnerState::disabled:
      return "disabled";
    case OwnerState::stopped:
      break;
  }
  return "suspended";
}

std::optional<std::string> iso(const std::optional<WallTime>& time) {
  if (!time) return std::nullopt;
  return format_rfc3339(*time);
}

std::string ago(const std::optional<WallTime>& time, WallTime now) {
  return time ? age(*time, now) + " ago" : "none yet";
}

void write(json::Array& list, const workspace::WorkspaceConfig& config, const StoredState& state) {
  auto object = list.object();
  object.field("workspace", config.id);
  object.field("state_folder", config.state_folder.string());
  const auto& record = state.record;
  {
    auto owner = object.object("owner");
    owner.field("state", word(state.owner));
    if (record && state.owner != OwnerState::none) {
      owner.field("pid", record->pid);
      owner.nullable("since", iso(record->since));
      if (state.owner == OwnerState::disabled) owner.field("reason", record->last_error);
    }
  }
  object.nullable("last_heartbeat", iso(record ? record->last_heartbeat : std::nullopt));
  object.nullable("last_poll", iso(record ? record->last_poll : std::nullopt));
  if (state.problem.empty()) {
    auto inbox = object.object("inbox");
    inbox.field("new", state.waiting - state.handed_out);
    inbox.field("handed_out", state.handed_out);
  } else {
    object.field("inbox", nullptr);
    object.field("problem", state.problem);
  }
  object.nullable("cursor", state.cursor.empty() ? std::nullopt : std::optional(state.cursor));
  if (record && !record->last_error.empty()) {
    auto error = object.object("last_error");
    error.nullable("at", iso(record->last_error_at));
    error.field("text", record->last_error);
  } else {
    object.field("last_error", nullptr);
  }
}

std::string owner_line(const StoredState& state, WallTime now) {
  if (state.owner == OwnerState::none) return "none: no molecule-mcp process is serving it here";
  if (!state.record) return "an unknown process";
  if (state.owner == OwnerState::disabled) {
    return fmt::format("process {}, disabled: {}", state.record->pid, state.record->last_error);
  }
  std::string line = fmt::format("process {}", state.record->pid);
  if (state.record->since) line += fmt::format(", for {}", age(*state.record->since, now));
  if (state.owner == OwnerState::stopped) line += ", suspended";
  return line;
}

std::string describe(const workspace::WorkspaceConfig& config, const StoredState& state,
                     WallTime now) {
  std::string text =
      fmt::format("workspace {}\n", config.id.empty() ? "(WORKSPACE_ID is not set)" : config.id);
  const auto line = [&text](std::string_view name, std::string_view value) {
    text += fmt::format("  {:<11} {}\n", name, value);
  };
  line("folder", config.state_folder.string());
  const workspace::OwnerRecord record = state.record.value_or(workspace::OwnerRecord());
  line("owner", owner_line(state, now));
  line("heartbeat", ago(record.last_heartbeat, now));
  line("poll", ago(record.last_poll, now));
  line("inbox", state.problem.empty()
                    ? fmt::format("{} new, {} handed out", state.waiting - state.handed_out,
                                  state.handed_out)
                    : state.problem);
  line("cursor", state.cursor.empty() ? "none" : state.cursor);
  line("last error",
       record.last_error.empty()
           ? "none"
           : fmt::format("{}: {}", ago(record.last_error_at, now), record.last_error));
  return text;
}

/// If no workspace is configured: every workspace that has a state folder here.
std::vector<workspace::WorkspaceConfig> subjects(const workspace::Reading& reading) {
  if (reading.several || !reading.config.workspaces.front().id.empty()) {
    return reading.config.workspaces;
  }
  std::vector<workspace::WorkspaceConfig> found;
  for (workspace::WorkspaceFolder& one : workspace::list_state_folders(reading.state_folder)) {
    workspace::WorkspaceConfig& config = found.emplace_back();
    config.id = std::move(one.id);
    config.state_folder = std::move(one.folder);
  }
  return found;
}

}  // namespace

int status(const workspace::Environment& environment, Report::Form form) {
  process::open_standard_streams();
  const workspace::Reading reading = workspace::read_config(environment);
  // The folder of a single workspace is known even if the rest of the configuration is invalid.
  if (!reading.knows_folders || (reading.several && !reading.problems.empty())) {
    log::error("the configuration does not determine the state folders:");
    for (const std::string& problem : reading.problems) log::error("{}", problem);
    return 2;
  }
  SystemClock clock;
  const WallTime now = clock.wall();
  json::Writer writer;
  std::string text;
  {
    auto object = writer.object();
    auto list = object.array("workspaces");
    for (const workspace::WorkspaceConfig& one : subjects(reading)) {
      const StoredState state =
          workspace::read_stored_state(one.state_folder, clock, reading.config.timing);
      write(list, one, state);
      text += (text.empty() ? "" : "\n") + describe(one, state, now);
    }
  }
  const bool shown =
      output::print(form == Report::Form::json ? std::move(writer).take() + "\n" : text);
  return shown ? 0 : 1;
}

}  // namespace molecule::cli
