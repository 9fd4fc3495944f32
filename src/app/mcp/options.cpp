// The one file that names CLI11, which is expensive to compile.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "app/mcp/command_line.hpp"
#include "base/text/text.hpp"
#include "cli/commands/help.hpp"

namespace molecule::app {

namespace {

/// The value of an option that was given without one, from its help text's default.
std::string default_value(const cli::Option& option) {
  constexpr std::string_view mark = "(default ";
  const std::size_t at = option.help.find(mark);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = option.help.substr(at + mark.size());
  return std::string(rest.substr(0, rest.find_first_of(" ;)")));
}

/// `--wait` alone gets its default, so that it does not take the word after it.
std::string completed(const cli::Command& command, const std::string& word) {
  for (const cli::Option& option : command.options) {
    if (option.optional_value() && word == option.long_name()) {
      return fmt::format("{}={}", word, default_value(option));
    }
  }
  return word;
}

/// Where CLI11 puts what it finds.
struct Found {
  std::string_view name;
  std::vector<std::string> values;
  CLI::Option* option = nullptr;
};

CLI::Option* add(CLI::App& app, const cli::Option& option, Found& found) {
  if (option.value.empty()) return app.add_flag(std::string(option.names));
  CLI::Option* added = app.add_option(std::string(option.names), found.values);
  added->expected(1)->allow_extra_args(false);
  return option.repeated ? added->take_all() : added->take_last();
}

CLI::Option* add(CLI::App& app, const cli::Positional& positional, Found& found) {
  CLI::Option* added = app.add_option(std::string(positional.name), found.values);
  if (positional.repeated) {
    added->expected(1, 1'000'000);
  } else {
    added->expected(1)->allow_extra_args(false);
  }
  added->required(positional.required);
  if (!positional.choices.empty()) {
    added->check([&positional](const std::string& word) {
      const auto& choices = positional.choices;
      if (std::ranges::find(choices, std::string_view(word)) != choices.end()) return std::string();
      const std::string_view guess = cli::nearest(word, choices);
      return fmt::format("{} is none of: {}{}", text::sanitize_name(word), fmt::join(choices, ", "),
                         guess.empty() ? "" : fmt::format("; did you mean {}?", guess));
    });
  }
  return added;
}

}  // namespace

std::optional<cli::Arguments> parse_options(const cli::Command& command,
                                            std::span<const char* const> arguments) {
  CLI::App app("", std::string(command.name));
  app.set_help_flag();
  app.allow_windows_style_options(false);
  std::deque<Found> found;
  for (const cli::Positional& one : command.positionals) {
    Found& place = found.emplace_back(Found{.name = one.name, .values = {}});
    place.option = add(app, one, place);
  }
  for (const cli::Option& one : command.options) {
    Found& place = found.emplace_back(Found{.name = one.long_name(), .values = {}});
    place.option = add(app, one, place);
  }
  // CLI11 takes them last first.
  std::vector<std::string> words;
  bool ended = false;
  for (const char* const word : arguments) {
    ended = ended || std::string_view(word) == "--";
    words.push_back(ended ? word : completed(command, word));
  }
  std::ranges::reverse(words);
  try {
    app.parse(words);
  } catch (const CLI::ParseError& error) {
    cli::wrong_usage(fmt::format("{}: {}", command.name, error.what()),
                     fmt::format("usage: {}\nRun `molecule-mcp help {}` for more.",
                                 cli::synopsis(command), command.name));
    return std::nullopt;
  }
  cli::Arguments parsed;
  for (const Found& one : found) {
    if (one.option->count() == 0) continue;
    if (one.values.empty()) parsed.add(one.name, "");
    for (const std::string& value : one.values) parsed.add(one.name, value);
  }
  return parsed;
}

}  // namespace molecule::app
