#include "cli/install/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "base/json/reader.hpp"
#include "base/json/writer.hpp"
#include "base/toml.hpp"
#include "cli/install/json_edit.hpp"
#include "cli/install/toml_edit.hpp"

namespace molecule::cli {

namespace {

using Path = std::vector<std::string>;

constexpr std::array<std::string_view, 3> claude_events{"SessionStart", "UserPromptSubmit", "Stop"};
constexpr std::array<std::string_view, 3> gemini_events{"SessionStart", "BeforeAgent",
                                                        "AfterAgent"};

Path joined(Path path, const std::string& name) {
  path.push_back(name);
  return path;
}

Failure<std::string> unparsable(const EditedFile& file, const std::string& why) {
  return Failure{fmt::format("{} was not touched, because it cannot be parsed: {}",
                             file.path().string(), why)};
}

Failure<std::string> unexpected(const EditedFile& file, std::string_view what) {
  return Failure{fmt::format("{} was not touched: {} in it has an unexpected form",
                             file.path().string(), what)};
}

/// `{"hooks":[{"type":"command","command":…,"timeout":…}]}`
std::string hook_item(const Host& host, const std::string& command) {
  json::Writer writer;
  {
    auto o = writer.object();
    auto list = o.array("hooks");
    auto one = list.object();
    one.field("type", "command");
    one.field("command", command);
    // Claude Code and Codex count seconds, Gemini CLI milliseconds.
    one.field("timeout", host.hooks == Host::Hooks::gemini ? 5000 : 5);
  }
  return std::move(writer).take();
}

/// A hook of this program for this workspace, whatever the program's path was.
bool is_ours(const std::string& item, std::string_view workspace_id) {
  return item.find("molecule-mcp") != std::string::npos &&
         item.find(" hook ") != std::string::npos &&
         item.find(fmt::format("--workspace {}", workspace_id)) != std::string::npos;
}

std::string permission(const ServerEntry& entry) {
  return "mcp__" + entry.name;
}

bool set_entry(JsonEdit& edit, const Host& host, const ServerEntry& entry, bool allow_tools) {
  const Path path = joined(host.servers, entry.name);
  const auto members = json_members(host, entry, allow_tools);
  if (edit.get(path)) {
    // Members that the person added stay.
    for (const auto& [name, value] : members) {
      if (!edit.set(joined(path, name), value)) return false;
    }
    return true;
  }
  std::string whole = "{";
  for (const auto& [name, value] : members) {
    whole += fmt::format("{}{}:{}", whole.size() > 1 ? "," : "", json::quoted(name), value);
  }
  return edit.set(path, whole + "}");
}

bool has_hook(JsonEdit& edit, std::string_view event, const std::string& workspace_id) {
  json::Document items;
  const std::string text = edit.get({"hooks", std::string(event)}).value_or("[]");
  return items.parse(text).ok() &&
         std::ranges::any_of(items.root().items(), [&workspace_id](json::Value one) {
           return is_ours(one.dump(), workspace_id);
         });
}

bool set_hooks(JsonEdit& edit, const Host& host, const ServerEntry& entry,
               const std::string& workspace_id, bool tool_hook) {
  const bool gemini = host.hooks == Host::Hooks::gemini;
  const auto& always = gemini ? gemini_events : claude_events;
  std::vector<std::string_view> events(always.begin(), always.end());
  const std::string_view after_tool = gemini ? "AfterTool" : "PostToolUse";
  // One that is there already stays, with the program's path of now.
  if (tool_hook || has_hook(edit, after_tool, workspace_id)) events.push_back(after_tool);
  for (const std::string_view event : events) {
    const Path path{"hooks", std::string(event)};
    const std::string item = hook_item(host, hook_command(entry, event, workspace_id));
    const auto present = edit.get(path);
    if (present && present->find(item) != std::string::npos) continue;
    edit.remove_items(
        path, [&workspace_id](const std::string& one) { return is_ours(one, workspace_id); });
    if (!edit.append(path, item)) return false;
  }
  return true;
}

bool is_empty(const std::optional<std::string>& value) {
  return value && (*value == "{}" || *value == "[]");
}

void remove_hooks(JsonEdit& edit, const std::string& workspace_id) {
  json::Document all;
  if (!all.parse(edit.get({"hooks"}).value_or("{}")).ok()) return;
  for (const auto& [event, items] : all.root().members()) {
    const Path path{"hooks", std::string(event)};
    const auto before = edit.get(path);
    edit.remove_items(
        path, [&workspace_id](const std::string& one) { return is_ours(one, workspace_id); });
    if (edit.get(path) != before && is_empty(edit.get(path))) edit.remove(path);
  }
  if (is_empty(edit.get({"hooks"}))) edit.remove({"hooks"});
}

void remove_permission(JsonEdit& edit, const ServerEntry& entry) {
  const Path path{"permissions", "allow"};
  const auto before = edit.get(path);
  edit.remove_items(
      path, [&entry](const std::string& one) { return one == json::quoted(permission(entry)); });
  if (edit.get(path) == before) return;
  if (is_empty(edit.get(path))) edit.remove(path);
  if (is_empty(edit.get({"permissions"}))) edit.remove({"permissions"});
}

/// Removing everything of ours leaves the file as it was: then its bytes come back as well.
/// `unpruned`: the content with the objects that ours has left empty.
Change undone(EditedFile file, JsonEdit edit, JsonDialect dialect,
              const std::optional<std::string>& unpruned) {
  Change change{.file = std::move(file), .after = edit.text(), .restore = false};
  if (change.file.before() == change.after) return change;
  const std::string original = change.file.original();
  const auto was = JsonEdit::parse(original, dialect);
  const bool same = was.ok() && (was->get({}) == edit.get({}) || was->get({}) == unpruned);
  const bool made_by_us = original.empty() && edit.get({}) == "{}";
  change.restore = made_by_us || (!original.empty() && same);
  return change;
}

Result<std::optional<JsonEdit>, std::string> parse_json(const EditedFile& file,
                                                        JsonDialect dialect) {
  auto edit = JsonEdit::parse(file.before(), dialect);
  if (!edit.ok()) return unparsable(file, edit.error());
  return std::optional(std::move(*edit));
}

Result<Change, std::string> toml_install(const Host& host, const ServerEntry& entry,
                                         bool allow_tools) {
  auto file = EditedFile::open(host.file);
  if (!file.ok()) return Failure{std::move(file.error())};
  auto text = set_toml_table(file->before(), joined(host.servers, entry.name),
                             toml_tables(host, entry, allow_tools));
  if (!text.ok()) return unparsable(*file, text.error());
  return Change{.file = std::move(*file), .after = std::move(*text)};
}

Result<Change, std::string> toml_uninstall(const Host& host, const ServerEntry& entry) {
  auto file = EditedFile::open(host.file);
  if (!file.ok()) return Failure{std::move(file.error())};
  if (auto valid = toml_to_json(file->before()); !valid.ok()) {
    return unparsable(*file, valid.error());
  }
  Change change{.file = std::move(*file), .after = {}};
  change.after = remove_toml_table(change.file.before(), joined(host.servers, entry.name));
  if (change.after == change.file.before()) return change;
  const std::string original = change.file.original();
  const auto was = toml_to_json(original);
  const auto is = toml_to_json(change.after);
  const bool same = !original.empty() && was.ok() && is.ok() && *was == *is;
  change.restore = same || (original.empty() && change.after.empty());
  return change;
}

}  // namespace

Result<Present, std::string> entry_present(const Host& host, const ServerEntry& entry) {
  auto file = EditedFile::open(host.file);
  if (!file.ok()) return Failure{std::move(file.error())};
  auto edit = parse_json(*file, host.dialect);
  if (!edit.ok()) return Failure{std::move(edit.error())};
  const Path path = joined(host.servers, entry.name);
  if (!(*edit)->get(path)) return Present::no;
  for (const auto& [name, value] : json_members(host, entry, false)) {
    if ((*edit)->get(joined(path, name)) != value) return Present::differs;
  }
  return Present::yes;
}

Result<std::vector<Change>, std::string> plan_install(const Host& host, const ServerEntry& entry,
                                                      const std::string& workspace_id,
                                                      const InstallOptions& options,
                                                      bool entry_elsewhere) {
  std::vector<Change> changes;
  const bool one_file = host.form == Host::Form::json && host.settings == host.file;
  if (host.form == Host::Form::toml) {
    auto change = toml_install(host, entry, options.allow_tools);
    if (!change.ok()) return Failure{std::move(change.error())};
    changes.push_back(std::move(*change));
  } else if (!entry_elsewhere) {
    auto file = EditedFile::open(host.file);
    if (!file.ok()) return Failure{std::move(file.error())};
    auto edit = parse_json(*file, host.dialect);
    if (!edit.ok()) return Failure{std::move(edit.error())};
    if (!set_entry(**edit, host, entry, options.allow_tools)) {
      return unexpected(*file, host.servers.front());
    }
    if (one_file && options.hooks &&
        !set_hooks(**edit, host, entry, workspace_id, options.tool_hook)) {
      return unexpected(*file, "hooks");
    }
    changes.push_back({.file = std::move(*file), .after = (*edit)->text()});
  }
  const bool permits = options.allow_tools && host.name == "claude-code";
  if (one_file || (!options.hooks && !permits)) return changes;
  auto file = EditedFile::open(host.settings);
  if (!file.ok()) return Failure{std::move(file.error())};
  auto edit = parse_json(*file, {});
  if (!edit.ok()) return Failure{std::move(edit.error())};
  if (options.hooks && !set_hooks(**edit, host, entry, workspace_id, options.tool_hook)) {
    return unexpected(*file, "hooks");
  }
  const std::string allowed = json::quoted(permission(entry));
  const auto present = (*edit)->get({"permissions", "allow"});
  const bool is_there = present && present->find(allowed) != std::string::npos;
  if (permits && !is_there && !(*edit)->append({"permissions", "allow"}, allowed)) {
    return unexpected(*file, "permissions.allow");
  }
  changes.push_back({.file = std::move(*file), .after = (*edit)->text()});
  return changes;
}

Result<std::vector<Change>, std::string> plan_uninstall(const Host& host, const ServerEntry& entry,
                                                        const std::string& workspace_id,
                                                        bool entry_elsewhere) {
  std::vector<Change> changes;
  const bool one_file = host.form == Host::Form::json && host.settings == host.file;
  if (host.form == Host::Form::toml) {
    auto change = toml_uninstall(host, entry);
    if (!change.ok()) return Failure{std::move(change.error())};
    changes.push_back(std::move(*change));
  } else if (!entry_elsewhere) {
    auto file = EditedFile::open(host.file);
    if (!file.ok()) return Failure{std::move(file.error())};
    auto edit = parse_json(*file, host.dialect);
    if (!edit.ok()) return Failure{std::move(edit.error())};
    const Path path = joined(host.servers, entry.name);
    const bool had = (*edit)->get(path).has_value();
    (*edit)->remove(path);
    JsonEdit unpruned = **edit;
    if (one_file) remove_hooks(unpruned, workspace_id);
    for (Path above = host.servers; had && !above.empty(); above.pop_back()) {
      if (is_empty((*edit)->get(above))) (*edit)->remove(above);
    }
    if (one_file) remove_hooks(**edit, workspace_id);
    changes.push_back(undone(std::move(*file), std::move(**edit), host.dialect, unpruned.get({})));
  }
  if (one_file || host.settings.empty()) return changes;
  auto file = EditedFile::open(host.settings);
  if (!file.ok()) return Failure{std::move(file.error())};
  auto edit = parse_json(*file, {});
  if (!edit.ok()) return Failure{std::move(edit.error())};
  remove_hooks(**edit, workspace_id);
  remove_permission(**edit, entry);
  changes.push_back(undone(std::move(*file), std::move(**edit), {}, std::nullopt));
  return changes;
}

void mark_only_ours(std::vector<Change>& changes, const Host& host, const ServerEntry& entry,
                    const std::string& workspace_id, bool entry_elsewhere) {
  const auto undoing = plan_uninstall(host, entry, workspace_id, entry_elsewhere);
  if (!undoing.ok()) return;
  for (Change& change : changes) {
    change.only_ours = std::ranges::any_of(*undoing, [&change](const Change& undo) {
      return undo.restore && undo.file.path() == change.file.path() && undo.file.original().empty();
    });
  }
}

}  // namespace molecule::cli
