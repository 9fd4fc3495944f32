#include "workspace/config/config_file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "base/files/files.hpp"
#include "base/files/paths.hpp"
#include "base/text/text.hpp"
#include "base/toml.hpp"
#include "base/uuid.hpp"
#include "workspace/config/workspace_list.hpp"

namespace molecule::workspace {

namespace {

namespace fs = std::filesystem;
using Problems = std::vector<std::string>;
using Variables = std::map<std::string, std::string, std::less<>>;

std::string trimmed(const Environment& environment, std::string_view name) {
  return std::string(text::trim(environment(name).value_or("")));
}

/// How many edits make `a` of `b`.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row.back();
}

/// Why a file that names secrets' places and programs to run is not to be trusted.
std::string distrust(const fs::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return {};
  if (status.st_uid != ::getuid() && status.st_uid != 0) {
    return fmt::format("{} belongs to another user (id {})", path.string(), status.st_uid);
  }
  if ((status.st_mode & S_IWOTH) == 0) return {};
  return fmt::format("{} can be written by every user of this machine: chmod 600 {}", path.string(),
                     path.string());
}

/// Reads one key of a table.
class Reader {
 public:
  Reader(json::Value table, std::string place, Problems& problems)
      : table_(table), place_(std::move(place)), problems_(problems) {}

  std::string text(std::string_view key) {
    const json::Value value = table_[key];
    if (!value.present()) return {};
    if (const auto given = value.string()) return std::string(text::trim(*given));
    problems_.push_back(fmt::format("{}{} must be a string", place_, key));
    return {};
  }

  /// A list of texts, joined as the environment has it.
  std::string list(std::string_view key) {
    const json::Value value = table_[key];
    std::string joined;
    bool valid = !value.present() || value.is_array();
    for (const json::Value item : value.items()) {
      const auto given = item.string();
      valid = valid && given && given->find(',') == std::string_view::npos;
      if (!valid) break;
      joined += (joined.empty() ? "" : ",") + std::string(*given);
    }
    if (!valid) {
      problems_.push_back(
          fmt::format("{}{} must be a list of strings without commas", place_, key));
    }
    return joined;
  }

  void refuse_token() {
    if (!table_["token"].present()) return;
    problems_.push_back(fmt::format(
        "{}token: a token does not belong into this file; write it to a file with mode 0600 and "
        "name that as token_file",
        place_));
  }

 private:
  json::Value table_;
  std::string place_;
  Problems& problems_;
};

void keep(Variables& variables, std::string_view name, std::string value) {
  if (!value.empty()) variables.insert_or_assign(std::string(name), std::move(value));
}

std::string checked_url(std::string url, const std::string& place, Problems& problems) {
  if (url.empty()) return url;
  if (const auto checked = check_platform_url(url); !checked) {
    problems.push_back(fmt::format("{}url is not usable: {}", place, checked.error()));
  }
  return url;
}

ConfigFile::Entry read_entry(json::Value table, const std::string& place, Problems& problems) {
  check_keys(table, {"id", "name", "url", "token_file", "token", "description", "skills"}, place,
             problems);
  Reader reader(table, place, problems);
  reader.refuse_token();
  ConfigFile::Entry entry;
  entry.id = text::lower(reader.text("id"));
  if (!is_uuid(entry.id)) {
    problems.push_back(fmt::format("{}id must be the workspace's id (a UUID)", place));
  }
  entry.name = reader.text("name");
  keep(entry.variables, "WORKSPACE_ID", entry.id);
  keep(entry.variables, "PLATFORM_URL", checked_url(reader.text("url"), place, problems));
  keep(entry.variables, "MOLECULE_WORKSPACE_TOKEN_FILE", reader.text("token_file"));
  keep(entry.variables, "MOLECULE_AGENT_NAME", entry.name);
  keep(entry.variables, "MOLECULE_AGENT_DESCRIPTION", reader.text("description"));
  keep(entry.variables, "MOLECULE_AGENT_SKILLS", reader.list("skills"));
  return entry;
}

}  // namespace

fs::path config_folder(const Environment& environment) {
  const auto named = files::configured_path(trimmed(environment, "XDG_CONFIG_HOME"), "/");
  // The XDG specification says to ignore paths that are not absolute.
  if (named) return *named / "molecule";
  return home_folder(environment) / ".config" / "molecule";
}

Result<std::optional<json::Document>, std::string> read_toml_file(const fs::path& path) {
  constexpr std::size_t max_bytes = 1 << 20;
  const auto content = files::read(path, max_bytes, files::Links::follow);
  if (!content) {
    const int code = content.error().code;
    if (code == ENOENT || code == ENOTDIR) return std::optional<json::Document>();
    return Failure{content.error().message};
  }
  if (std::string why = distrust(path); !why.empty()) return Failure{std::move(why)};
  const auto json = toml_to_json(*content);
  if (!json) return Failure{fmt::format("{}: {}", path.string(), json.error())};
  json::Document document;
  if (const auto parsed = document.parse(*json); !parsed) {
    return Failure{fmt::format("{}: {}", path.string(), parsed.error().message)};
  }
  return std::optional(std::move(document));
}

void check_keys(json::Value table, const std::vector<std::string_view>& known,
                std::string_view place, Problems& problems) {
  for (const auto& [key, value] : table.members()) {
    if (std::ranges::find(known, key) != known.end()) continue;
    std::string_view nearest;
    std::size_t edits = std::numeric_limits<std::size_t>::max();
    for (const std::string_view one : known) {
      const std::size_t needed = distance(key, one);
      if (needed < edits) nearest = one;
      edits = std::min(edits, needed);
    }
    std::string problem =
        fmt::format("{}{} is no key of this file", place, text::sanitize_name(key));
    if (edits <= 3) problem += fmt::format(": did you mean {}?", nearest);
    problems.push_back(std::move(problem));
  }
}

ConfigFile ConfigFile::read(const Environment& environment, Problems& problems) {
  ConfigFile file;
  file.path_ = config_folder(environment) / "config.toml";
  const auto document = read_toml_file(file.path_);
  if (!document) problems.push_back(document.error());
  if (!document || !*document) return file;
  const json::Value root = (*document)->root();
  const std::string place = file.path_.string() + ": ";
  check_keys(root, {"url", "org_id", "state_folder", "agent_card", "workspace", "token"}, place,
             problems);
  Reader reader(root, place, problems);
  reader.refuse_token();
  keep(file.variables_, "PLATFORM_URL", checked_url(reader.text("url"), place, problems));
  keep(file.variables_, "MOLECULE_ORG_ID", reader.text("org_id"));
  keep(file.variables_, "CONFIGS_DIR", reader.text("state_folder"));
  const json::Value card = root["agent_card"];
  check_keys(card, {"name", "description", "skills"}, place + "agent_card.", problems);
  Reader card_reader(card, place + "agent_card.", problems);
  keep(file.variables_, "MOLECULE_AGENT_NAME", card_reader.text("name"));
  keep(file.variables_, "MOLECULE_AGENT_DESCRIPTION", card_reader.text("description"));
  keep(file.variables_, "MOLECULE_AGENT_SKILLS", card_reader.list("skills"));
  const json::Value list = root["workspace"];
  if (list.present() && !list.is_array()) {
    problems.push_back(place + "workspaces are written as [[workspace]], with their id in it");
  }
  for (const json::Value table : list.items()) {
    const std::size_t number = file.entries_.size() + 1;
    Entry entry = read_entry(table, fmt::format("{}workspace {}: ", place, number), problems);
    if (!entry.id.empty() && file.find(entry.id) != nullptr) {
      problems.push_back(fmt::format("{}workspace {}: id is a duplicate: {}", place, number,
                                     text::sanitize_name(entry.id)));
    }
    file.entries_.push_back(std::move(entry));
  }
  return file;
}

const ConfigFile::Entry* ConfigFile::find(std::string_view id_or_name) const {
  const auto found = std::ranges::find_if(entries_, [id_or_name](const Entry& entry) {
    return text::equal_ignoring_case(entry.id, id_or_name) ||
           text::equal_ignoring_case(entry.name, id_or_name);
  });
  return found != entries_.end() ? &*found : nullptr;
}

Environment ConfigFile::complete(const Environment& environment, const Entry* entry,
                                 bool several) const {
  Variables all = variables_;
  if (entry != nullptr) {
    for (const auto& [name, value] : entry->variables) all.insert_or_assign(name, value);
  }
  return [environment, all = std::move(all),
          several](std::string_view name) -> std::optional<std::string> {
    const bool own =
        several && (name == "MOLECULE_WORKSPACE_TOKEN" || name == "MOLECULE_WORKSPACE_TOKEN_FILE");
    std::optional<std::string> set = own ? std::nullopt : environment(name);
    if (set && !text::trim(*set).empty()) return set;
    const auto here = all.find(name);
    return here != all.end() ? std::optional(here->second) : set;
  };
}

}  // namespace molecule::workspace
