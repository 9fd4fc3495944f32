#include "cli/service/service_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <initializer_list>
#include <utility>

#include "base/text/text.hpp"
#include "cli/service/templates.hpp"

namespace molecule::cli {

namespace {

namespace fs = std::filesystem;

std::string variable(const workspace::Environment& environment, std::string_view name) {
  return std::string(text::trim(environment(name).value_or("")));
}

std::string replaced(std::string text, std::string_view name, std::string_view value) {
  for (std::size_t at = text.find(name); at != std::string::npos;
       at = text.find(name, at + value.size())) {
    text.replace(at, name.size(), value);
  }
  return text;
}

/// In a unit, blanks separate words and `%` begins a specifier. `$` is a variable's beginning
/// neither in the path of a program nor in Environment=.
std::string unit_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '%') out += c;
    out += c;
  }
  return out + '"';
}

std::string xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
  return out;
}

/// Where the state and the configuration are, if not where the service would look.
std::string unit_environment(const workspace::Environment& environment) {
  std::string lines;
  for (const char* name : {"CONFIGS_DIR", "XDG_CONFIG_HOME", "PATH"}) {
    const std::string value = variable(environment, name);
    // A handler's program is found as in the shell of this person.
    if (!value.empty())
      lines += fmt::format("Environment={}\n", unit_quoted(fmt::format("{}={}", name, value)));
  }
  return lines;
}

}  // namespace

fs::path service_path(Manager which, const workspace::Environment& environment) {
  const fs::path home = workspace::home_folder(environment);
  if (which == Manager::launchd) {
    return home / "Library" / "LaunchAgents" / fmt::format("{}.plist", agent_label);
  }
  const std::string named = variable(environment, "XDG_CONFIG_HOME");
  const fs::path base = named.starts_with('/') ? fs::path(named) : home / ".config";
  return base / "systemd" / "user" / unit_name;
}

fs::path packaged_unit() {
  for (const char* folder : {"/usr/lib/systemd/user", "/lib/systemd/user", "/etc/systemd/user"}) {
    fs::path path = fs::path(folder) / unit_name;
    if (::access(path.c_str(), R_OK) == 0) return path;
  }
  return {};
}

fs::path log_path(const workspace::Environment& environment) {
  return workspace::home_folder(environment) / "Library" / "Logs" / "molecule-mcp.log";
}

std::string service_text(Manager which, std::string_view program,
                         const workspace::Environment& environment) {
  if (which == Manager::launchd) {
    std::string text = replaced(std::string(launchd_template), "@label@", agent_label);
    text = replaced(std::move(text), "@program@", xml(program));
    text = replaced(std::move(text), "@path@", xml(variable(environment, "PATH")));
    return replaced(std::move(text), "@logs@", xml(log_path(environment).parent_path().string()));
  }
  std::string text =
      replaced(std::string(systemd_template), "@bindir@/molecule-mcp", unit_quoted(program));
  return replaced(std::move(text), "[Service]\n", "[Service]\n" + unit_environment(environment));
}

}  // namespace molecule::cli
