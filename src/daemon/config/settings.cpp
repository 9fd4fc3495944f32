#include "daemon/config/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/files/paths.hpp"
#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "daemon/config/handler_table.hpp"
#include "workspace/config/config_file.hpp"

namespace molecule::daemon {

namespace {

using Problems = std::vector<std::string>;

const Key* find_key(std::string_view name) {
  const auto all = handler_keys();
  const auto found = std::ranges::find_if(all, [name](const Key& key) { return key.name == name; });
  return found != all.end() ? &*found : nullptr;
}

bool is_number(std::string_view text) {
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return !text.empty() && failure == std::errc() && end == text.data() + text.size();
}

/// A single value of the command line as JSON; what is no number stays a string, which the table's
/// reader then refuses with the key's name.
std::string as_json(Key::Type type, const std::string& given) {
  if (type == Key::Type::flag && (given.empty() || given == "true" || given == "false")) {
    return given == "false" ? "false" : "true";
  }
  const bool number = type == Key::Type::number || type == Key::Type::seconds;
  return number && is_number(given) ? given : json::quoted(given);
}

/// The flags as a table. Lists are repeated flags, those of seconds have commas, too.
std::string table_of(const Flags& flags, Problems& problems) {
  std::vector<std::pair<std::string, std::string>> members;
  for (const auto& [name, given] : flags) {
    const Key* key = find_key(name);
    if (key == nullptr) {
      problems.push_back(fmt::format("--{} is unknown", text::sanitize_name(name)));
      continue;
    }
    const bool list = key->type == Key::Type::list || key->type == Key::Type::seconds_list;
    std::string value = as_json(key->type, given);
    if (key->type == Key::Type::seconds_list) {
      value.clear();
      for (const std::string& part : text::split_list(given, ',')) {
        value += (value.empty() ? "" : ",") + as_json(Key::Type::seconds, part);
      }
    }
    const auto same =
        std::ranges::find_if(members, [&name](const auto& member) { return member.first == name; });
    if (same == members.end()) {
      members.emplace_back(name, value);
    } else if (list) {
      same->second += "," + value;
    } else {
      same->second = value;
    }
  }
  std::string table = "{";
  for (const auto& [name, value] : members) {
    const Key* key = find_key(name);
    const bool list = key->type == Key::Type::list || key->type == Key::Type::seconds_list;
    table += fmt::format("{}\"{}\":{}", table.size() > 1 ? "," : "", name,
                         list ? "[" + value + "]" : value);
  }
  return table + "}";
}

void apply_text(const std::string& table, const std::string& place,
                const std::filesystem::path& home, HandlerSettings& settings, Problems& problems) {
  json::Document document;
  if (const auto parsed = document.parse(table)) {
    apply_table(*parsed, place, home, settings, problems);
  }
}

bool names(std::string_view section, std::string_view id, std::string_view name) {
  return text::equal_ignoring_case(section, id) ||
         (!name.empty() && text::equal_ignoring_case(section, name));
}

}  // namespace

Result<Settings, Problems> Settings::load(const workspace::Environment& environment,
                                          const std::filesystem::path& file, const Flags& flags) {
  Settings settings;
  Problems problems;
  const std::filesystem::path home = workspace::home_folder(environment);
  settings.file_ = file.empty() ? workspace::config_folder(environment) / "daemon.toml" : file;
  auto document = workspace::read_toml_file(settings.file_);
  if (!document) problems.push_back(document.error());
  settings.from_file_ = document && document->has_value();
  if (document && !settings.from_file_ && !file.empty()) {
    problems.push_back(fmt::format("{} does not exist", file.string()));
  }
  const std::string place = settings.file_.string() + ": ";
  const auto sections = [&](json::Value tables, const std::string& kind) {
    std::vector<Section> list;
    if (tables.present() && !tables.is_object()) {
      problems.push_back(fmt::format("{}write [{}.\"name or id\"]", place, kind));
    }
    for (const auto& [name, table] : tables.members()) {
      list.push_back({.name = std::string(name), .table = table.dump()});
      HandlerSettings trial = settings.base_;
      const std::string where = fmt::format("{}{}.{}: ", place, kind, text::sanitize_name(name));
      apply_table(table, where, home, trial, problems);
      check_complete(trial, where, problems);
    }
    return list;
  };
  if (settings.from_file_) {
    const json::Value root = (*document)->root();
    workspace::check_keys(root, {"handler", "workspace", "sender"}, place, problems);
    apply_table(root["handler"], place + "handler.", home, settings.base_, problems);
  }
  const std::string given = table_of(flags, problems);
  apply_text(given, "--", home, settings.base_, problems);
  check_complete(settings.base_, settings.from_file_ ? place + "handler." : "--", problems);
  if (settings.from_file_) {
    const json::Value root = (*document)->root();
    settings.workspaces_ = sections(root["workspace"], "workspace");
    settings.senders_ = sections(root["sender"], "sender");
  }
  if (!problems.empty()) return Failure{std::move(problems)};
  return settings;
}

HandlerSettings Settings::resolve(std::string_view workspace_id, std::string_view workspace_name,
                                  std::string_view sender_id, std::string_view sender_name) const {
  HandlerSettings settings = base_;
  Problems none;
  const std::filesystem::path home = workspace::home_folder(workspace::process_environment());
  for (const Section& one : workspaces_) {
    if (!names(one.name, workspace_id, workspace_name)) continue;
    apply_text(one.table, "", home, settings, none);
  }
  const std::string_view id = sender_id.empty() ? std::string_view("user") : sender_id;
  for (const Section& one : senders_) {
    // A peer chooses its name, so a name never stands for the person.
    const bool person = sender_id.empty();
    if (!names(one.name, id, person || text::lower(one.name) == "user" ? "" : sender_name))
      continue;
    apply_text(one.table, "", home, settings, none);
  }
  return settings;
}

bool Settings::any_handler() const {
  const auto has = [this](const Section& section) {
    HandlerSettings settings = base_;
    Problems none;
    apply_text(section.table, "", "/", settings, none);
    return settings.kind != Kind::none;
  };
  return base_.kind != Kind::none || std::ranges::any_of(workspaces_, has) ||
         std::ranges::any_of(senders_, has);
}

std::string Settings::describe() const {
  std::string text = fmt::format("# {}{}\n\n[handler]\n{}", file_.string(),
                                 from_file_ ? "" : " (there is none)", to_toml(base_));
  const auto add = [&text](std::string_view kind, const std::vector<Section>& sections) {
    for (const Section& one : sections) {
      text += fmt::format("\n[{}.{}]\n", kind, json::quoted(one.name));
      json::Document document;
      const auto table = document.parse(one.table);
      if (!table) continue;
      for (const auto& [key, value] : table->members()) {
        text += fmt::format("{} = {}\n", key, value.dump());
      }
    }
  };
  add("workspace", workspaces_);
  add("sender", senders_);
  return text;
}

}  // namespace molecule::daemon
