#include "workspace/config/workspace_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <set>
#include <system_error>
#include <utility>

#include "base/json/reader.hpp"
#include "base/text/text.hpp"
#include "base/uuid.hpp"
#include "workspace/config/state_folder.hpp"

namespace molecule::workspace {

namespace {

using Problems = std::vector<std::string>;

/// True for `host`, `host:port` and `[address]:port`.
bool is_host_and_port(std::string_view authority) {
  const std::size_t end = authority.starts_with('[') ? authority.find(']') : authority.find(':');
  if (authority.starts_with('[')) {
    if (end == std::string_view::npos) return false;
    authority.remove_prefix(end + 1);
  } else {
    authority.remove_prefix(std::min(end, authority.size()));
  }
  // Without a number the scheme's port is meant.
  if (authority.empty() || authority == ":") return true;
  if (!authority.starts_with(':')) return false;
  authority.remove_prefix(1);
  std::uint16_t port = 0;
  const char* last = authority.data() + authority.size();
  const auto read = std::from_chars(authority.data(), last, port);
  return read.ec == std::errc() && read.ptr == last && port > 0;
}

/// Why `url` (without trailing slashes) cannot be the platform's base; empty if it can.
std::string_view url_problem(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const std::string name = text::lower(url.substr(0, scheme));
  if (scheme == std::string_view::npos || (name != "http" && name != "https")) {
    return "it must begin with http:// or https://";
  }
  const std::string_view rest = url.substr(scheme + 3);
  const std::string_view authority = rest.substr(0, rest.find('/'));
  if (authority.empty() || authority.starts_with(':')) return "it has no host";
  if (authority.find('@') != std::string_view::npos) {
    return "it must not contain a user name or password";
  }
  const bool clean =
      std::all_of(url.begin(), url.end(), [](char c) { return c > '\x20' && c < '\x7F'; });
  if (!clean || url.find_first_of("?#\\\"<>") != std::string_view::npos) {
    return "it must be a plain base URL, without spaces, query or fragment";
  }
  if (!is_host_and_port(authority)) return "it must have a host, and may have a port up to 65535";
  return {};
}

/// The environment of one entry of the list: its own token, and no other's.
Environment with_token(const Environment& environment, std::string token) {
  return
      [environment, token = std::move(token)](std::string_view name) -> std::optional<std::string> {
        if (name == "MOLECULE_WORKSPACE_TOKEN") return token;
        if (name == "MOLECULE_WORKSPACE_TOKEN_FILE") return std::nullopt;
        return environment(name);
      };
}

/// A string member; empty if it is absent or null.
std::string member(json::Value entry, std::string_view name, const std::string& place,
                   Problems& problems) {
  const json::Value value = entry[name];
  if (value.type() == json::Type::absent || value.is_null()) return {};
  if (const auto text = value.string()) return std::string(text::trim(*text));
  problems.push_back(fmt::format("{}.{} must be a string", place, name));
  return {};
}

std::string read_id(json::Value entry, const std::string& place, std::set<std::string>& known,
                    Problems& problems) {
  const std::size_t before = problems.size();
  std::string id = text::lower(member(entry, "id", place, problems));
  if (problems.size() > before) return {};
  if (id.empty()) {
    problems.push_back(fmt::format("{}.id is missing: set it to a workspace's id", place));
  } else if (!is_uuid(id)) {
    problems.push_back(fmt::format("{}.id is not a UUID", place));
  } else if (!known.insert(id).second) {
    problems.push_back(fmt::format("{}.id is a duplicate: {}", place, id));
  } else {
    return id;
  }
  return {};
}

std::string read_url(json::Value entry, const std::string& otherwise, const std::string& place,
                     Problems& problems) {
  const std::size_t before = problems.size();
  const std::string own = member(entry, "platform_url", place, problems);
  if (problems.size() > before) return {};
  const std::string& given = own.empty() ? otherwise : own;
  if (given.empty()) {
    problems.push_back(
        fmt::format("{}.platform_url is missing, and PLATFORM_URL is not set", place));
    return {};
  }
  auto url = check_platform_url(given);
  if (url.ok()) return std::move(*url);
  problems.push_back(own.empty()
                         ? fmt::format("PLATFORM_URL is not usable: {}", url.error())
                         : fmt::format("{}.platform_url is not usable: {}", place, url.error()));
  return {};
}

}  // namespace

Result<std::string, std::string_view> check_platform_url(std::string_view url) {
  while (url.ends_with('/')) url.remove_suffix(1);
  const std::string_view problem = url_problem(url);
  if (!problem.empty()) return Failure{problem};
  return std::string(url);
}

std::vector<WorkspaceConfig> read_workspace_list(const Environment& environment,
                                                 std::string_view list,
                                                 const std::string& otherwise_url,
                                                 const std::filesystem::path& state,
                                                 Problems& problems) {
  json::Document document;
  std::vector<WorkspaceConfig> workspaces;
  if (!document.parse(list).ok() || !document.root().is_array()) {
    problems.emplace_back(
        "MOLECULE_WORKSPACES is not a JSON array: it must be [{\"id\", \"token\", "
        "\"platform_url\"}, ...]");
    return workspaces;
  }
  std::set<std::string> known;
  std::size_t position = 0;
  for (const json::Value entry : document.root().items()) {
    const std::string place = fmt::format("MOLECULE_WORKSPACES[{}]", position++);
    if (!entry.is_object()) {
      problems.push_back(fmt::format("{} is not an object", place));
      continue;
    }
    WorkspaceConfig& one = workspaces.emplace_back();
    one.id = read_id(entry, place, known, problems);
    one.platform_url = read_url(entry, otherwise_url, place, problems);
    one.token.environment = with_token(environment, member(entry, "token", place, problems));
    one.token.name = place + ".token";
    // Only inside the state folder, whatever the id is.
    one.state_folder = is_uuid(one.id) ? find_state_folder(state, one.id, true) : state / "no-id";
  }
  if (position == 0) {
    problems.emplace_back("MOLECULE_WORKSPACES is empty: name at least one workspace in it");
  }
  return workspaces;
}

}  // namespace molecule::workspace
