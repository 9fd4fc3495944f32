#include "cli/commands/help.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/output.hpp"
#include "base/text/text.hpp"
#include "cli/commands/manual.hpp"
#include "cli/output/terminal.hpp"

namespace molecule::cli {

namespace {

constexpr std::size_t width = 92;
constexpr std::string_view general_usage =
    "usage: molecule-mcp COMMAND [options]\nRun `molecule-mcp --help` for the commands.";

/// Groups in the order of their first command.
std::vector<std::string_view> groups() {
  std::vector<std::string_view> found;
  for (const Command& command : commands()) {
    if (!command.group.empty() && std::ranges::find(found, command.group) == found.end()) {
      found.push_back(command.group);
    }
  }
  return found;
}

std::string option_label(const Option& option) {
  std::string label;
  std::string_view names = option.names;
  if (const std::size_t comma = names.find(','); comma != std::string_view::npos) {
    label = fmt::format("{}, ", names.substr(0, comma));
    names.remove_prefix(comma + 1);
  }
  label += names;
  if (option.optional_value()) {
    label += fmt::format("[={}]", option.value.substr(1, option.value.size() - 2));
  } else if (!option.value.empty()) {
    label += fmt::format(" {}", option.value);
  }
  return label;
}

/// `label` and its explanation, wrapped beside it.
std::string entry(std::string_view label, std::string_view help, std::size_t column) {
  std::string out = fmt::format("  {:<{}}", label, column);
  if (label.size() > column) out += fmt::format("\n  {:{}}", "", column);
  return out + wrap(help, width, column + 2) + '\n';
}

std::vector<std::string_view> known_words() {
  std::vector<std::string_view> words;
  for (const Command& command : commands()) {
    words.push_back(command.name);
    words.push_back(command.name.substr(0, command.name.find(' ')));
  }
  for (const Topic& topic : topics()) words.push_back(topic.name);
  return words;
}

}  // namespace

std::string synopsis(const Command& command) {
  std::string line = fmt::format("molecule-mcp {}", command.name);
  if (!command.options.empty()) line += " [options]";
  for (const Positional& one : command.positionals) {
    const std::string name = fmt::format("{}{}", one.name, one.repeated ? "…" : "");
    line += one.required ? fmt::format(" {}", name) : fmt::format(" [{}]", name);
  }
  return line;
}

std::string overview() {
  std::string out =
      "usage: molecule-mcp COMMAND [options]\n\n"
      "Puts agents online on a Molecule platform: as the MCP server of an agent host (the "
      "default),\n"
      "as a daemon without one, and as the commands of a person or a script.\n";
  for (const std::string_view group : groups()) {
    out += fmt::format("\n{}:\n", group);
    for (const Command& command : commands()) {
      if (command.group == group) out += entry(command.name, command.summary, 18);
    }
  }
  out += "\nTopics:\n";
  for (const Topic& topic : topics()) {
    out += entry(fmt::format("help {}", topic.name), topic.summary, 18);
  }
  out += R"(
Start with:
  molecule-mcp setup                        from nothing to online
  molecule-mcp install claude-code --hooks  add it to an agent host
  molecule-mcp inbox                        what waits
  molecule-mcp doctor                       what is wrong

`molecule-mcp help COMMAND` explains a command. With `--json` a command prints JSON instead of text.
`--version` prints the version. The workspace comes from config.toml, which setup writes, or from
WORKSPACE_ID, PLATFORM_URL and MOLECULE_WORKSPACE_TOKEN; MOLECULE_LOG sets how much stderr gets.
`help environment` has every variable.
Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 token refused, 4 not found, 5 unreachable,
6 nothing came in the time given.
)";
  return out;
}

std::string describe(const Command& command) {
  std::string out = fmt::format("usage: {}\n\n{}.\n", synopsis(command), command.summary);
  if (!command.detail.empty()) out += wrap(command.detail, width, 0) + '\n';
  if (!command.examples.empty()) out += "\nExamples:\n";
  for (const std::string_view example : command.examples) out += fmt::format("  {}\n", example);
  std::size_t column = 14;
  for (const Option& one : command.options) {
    column = std::max(column, std::min<std::size_t>(option_label(one).size() + 2, 26));
  }
  if (!command.positionals.empty()) out += "\nArguments:\n";
  for (const Positional& one : command.positionals) {
    std::string help(one.help);
    if (!one.choices.empty()) help += fmt::format(": {}", fmt::join(one.choices, ", "));
    out += entry(one.name, help, column);
  }
  out += "\nOptions:\n";
  for (const Option& one : command.options) out += entry(option_label(one), one.help, column);
  out += entry("-h, --help", "Print this help", column);
  const auto below = commands_below(command.name);
  if (!below.empty()) out += "\nMore:\n";
  for (const Command* one : below) out += entry(one->name, one->summary, column);
  return out;
}

void say_failure(std::string_view problem, std::string_view hint) {
  std::string line = fmt::format("molecule-mcp: {}\n", text::sanitize(problem));
  if (!hint.empty()) line += fmt::format("{}\n", text::sanitize(hint));
  say(line);
}

int wrong_usage(std::string_view problem, std::string_view hint) {
  say_failure(problem, hint);
  return exit_code::usage;
}

int unknown_command(std::string_view word) {
  const std::string shown = text::sanitize_name(word);
  if (const auto below = commands_below(word); !below.empty()) {
    std::vector<std::string_view> names;
    for (const Command* one : below) names.push_back(one->name);
    return wrong_usage(fmt::format("{}: a second word is missing", shown),
                       fmt::format("Choose one of: {}", fmt::join(names, ", ")));
  }
  const auto words = known_words();
  const std::string_view guess = nearest(word, words);
  return wrong_usage(
      fmt::format("{} is no command", shown.empty() ? "an empty word" : shown),
      guess.empty() ? std::string(general_usage)
                    : fmt::format("Did you mean `molecule-mcp {}`?\n{}", guess, general_usage));
}

int help(const Arguments& arguments) {
  const std::vector<std::string> words = arguments.values("TOPIC");
  std::string shown;
  if (arguments.has("--manual")) {
    shown = manual();
  } else if (words.empty()) {
    shown = overview();
  } else {
    const std::string name = fmt::format("{}", fmt::join(words, " "));
    const auto topic = std::ranges::find(topics(), name, &Topic::name);
    if (const Command* command = find_command(name)) {
      shown = describe(*command);
    } else if (topic != topics().end()) {
      shown = fmt::format("{}\n\n{}", topic->summary, topic->text);
    } else if (const auto below = commands_below(name); !below.empty()) {
      for (const Command* one : below) shown += entry(one->name, one->summary, 18);
    } else {
      return unknown_command(name);
    }
  }
  return output::print(shown) ? exit_code::done : exit_code::failed;
}

}  // namespace molecule::cli
