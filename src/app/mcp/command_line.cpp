#include "app/mcp/command_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/text/text.hpp"
#include "cli/commands/help.hpp"

namespace molecule::app {

namespace {

using Words = std::span<const char* const>;

std::optional<mcp::Era> parse_era(std::string_view name) {
  if (name == "auto") return mcp::Era::automatic;
  if (name == "initialize") return mcp::Era::initialize_only;
  if (name == "stateless") return mcp::Era::stateless_only;
  return std::nullopt;
}

/// Before `--`, which ends the options.
bool asks_for_help(Words words) {
  for (const std::string_view word : words) {
    if (word == "--") return false;
    if (word == "--help" || word == "-h") return true;
  }
  return false;
}

CommandLine wrong(std::string_view problem, std::string_view hint) {
  return {.exit_code = cli::wrong_usage(problem, hint)};
}

/// The options of `serve`: `--era ERA` or `--era=ERA`.
CommandLine parse_serve(Words options) {
  constexpr std::string_view name = "--era";
  constexpr std::string_view hint =
      "usage: molecule-mcp [serve] [--era ERA]\nRun `molecule-mcp help serve` for more.";
  CommandLine line{.command = cli::find_command("serve")};
  while (!options.empty()) {
    std::string_view value = options.front();
    options = options.subspan(1);
    if (value == name && !options.empty()) {
      value = options.front();
      options = options.subspan(1);
    } else if (value.starts_with(name) && value.substr(name.size()).starts_with('=')) {
      value.remove_prefix(name.size() + 1);
    } else {
      return wrong(fmt::format("serve: {} is not expected", text::sanitize_name(value)), hint);
    }
    const auto era = parse_era(value);
    if (!era) {
      return wrong("serve: --era is auto, initialize or stateless", hint);
    }
    line.era = *era;
  }
  return line;
}

/// The command that the first words name, and what follows.
const cli::Command* find(Words& words) {
  if (words.size() > 1) {
    const std::string two = fmt::format("{} {}", words[0], words[1]);
    if (const cli::Command* command = cli::find_command(two)) {
      words = words.subspan(2);
      return command;
    }
  }
  const std::string_view one = words.front();
  const cli::Command* command =
      one.find(' ') == std::string_view::npos ? cli::find_command(one) : nullptr;
  words = words.subspan(1);
  return command;
}

}  // namespace

CommandLine parse_command_line(Words words) {
  if (words.empty()) return parse_serve(words);
  const std::string_view first = words.front();
  if (first == "--help" || first == "-h") return {.text = cli::overview()};
  if (first == "--version") return {.text = "molecule-mcp " MOLECULE_VERSION "\n"};
  if (first.starts_with("--era")) {
    if (asks_for_help(words)) return {.text = cli::overview()};
    return parse_serve(words);
  }
  if (first.starts_with('-')) {
    return wrong(
        fmt::format("{} is not expected", text::sanitize_name(first)),
        "usage: molecule-mcp COMMAND [options]\nRun `molecule-mcp --help` for the commands.");
  }
  const cli::Command* command = find(words);
  if (command == nullptr) {
    const auto below = cli::commands_below(first);
    if (!below.empty() && asks_for_help(words)) {
      std::string text;
      for (const cli::Command* one : below) text += cli::describe(*one) + "\n";
      return {.text = std::move(text)};
    }
    return {.exit_code = cli::unknown_command(first)};
  }
  if (asks_for_help(words)) return {.text = cli::describe(*command)};
  if (command->name == "daemon") return {.command = command, .rest = words};
  if (command->name == "serve") return parse_serve(words);
  auto arguments = parse_options(*command, words);
  if (!arguments) return {.exit_code = cli::exit_code::usage};
  return {.command = command, .arguments = std::move(*arguments)};
}

}  // namespace molecule::app
