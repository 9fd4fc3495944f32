#include "app/mcp/daemon_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/files/paths.hpp"
#include "base/text/text.hpp"
#include "workspace/config/config.hpp"

namespace molecule::app {

namespace {

/// A key's name in the file, for a flag's name: `deadline-secs`, or `handler` for `kind`.
std::optional<daemon::Key> key_of(std::string flag) {
  std::ranges::replace(flag, '-', '_');
  if (flag == "handler") flag = "kind";
  const auto keys = daemon::handler_keys();
  const auto found =
      std::ranges::find_if(keys, [&flag](const daemon::Key& key) { return key.name == flag; });
  if (found == keys.end()) return std::nullopt;
  return *found;
}

}  // namespace

Result<DaemonOptions, std::string> parse_daemon_options(std::span<const char* const> arguments) {
  DaemonOptions options;
  while (!arguments.empty()) {
    std::string_view argument = arguments.front();
    arguments = arguments.subspan(1);
    if (argument == "--") {
      for (const char* rest : std::exchange(arguments, {}))
        options.flags.emplace_back("argv", rest);
      break;
    }
    if (argument == "--check" || argument == "--json") {
      (argument == "--check" ? options.check : options.json) = true;
      continue;
    }
    if (!argument.starts_with("--")) {
      return Failure{fmt::format("{} is no option of daemon", text::sanitize_name(argument))};
    }
    argument.remove_prefix(2);
    const std::size_t equals = argument.find('=');
    const std::string name(argument.substr(0, equals));
    const bool config = name == "config";
    const auto key = key_of(name);
    if (!config && !key) {
      return Failure{fmt::format("--{} is no option of daemon", text::sanitize_name(name))};
    }
    std::string value;
    if (equals != std::string_view::npos) {
      value = argument.substr(equals + 1);
    } else if (config || key->type != daemon::Key::Type::flag) {
      if (arguments.empty()) return Failure{fmt::format("--{} needs a value", name)};
      value = arguments.front();
      arguments = arguments.subspan(1);
    }
    if (!config) {
      options.flags.emplace_back(key->name, std::move(value));
      continue;
    }
    const auto home = workspace::home_folder(workspace::process_environment());
    auto path = files::configured_path(value, home);
    if (!path) return Failure{"--config: " + path.error()};
    options.config = std::move(*path);
  }
  if (options.json && !options.check) return Failure{"--json is for --check"};
  return options;
}

}  // namespace molecule::app
