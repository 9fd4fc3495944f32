#include "cli/commands/completion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "base/output.hpp"
#include "cli/commands/help.hpp"

namespace molecule::cli {

namespace {

/// The words that may come first.
std::vector<std::string> first_words() {
  std::vector<std::string> words;
  for (const Command& command : commands()) {
    std::string word(command.name.substr(0, command.name.find(' ')));
    if (std::ranges::find(words, word) == words.end()) words.push_back(std::move(word));
  }
  return words;
}

/// Of `memory add` and `memory find`: the second words.
std::vector<std::string_view> second_words(std::string_view word) {
  std::vector<std::string_view> words;
  for (const Command* one : commands_below(word))
    words.push_back(one->name.substr(word.size() + 1));
  return words;
}

std::string summary_of(std::string_view word) {
  if (const Command* command = find_command(word)) return std::string(command->summary);
  return fmt::format("{}", fmt::join(second_words(word), ", "));
}

/// The words that may stand for a positional; empty if it can be anything.
std::vector<std::string> choices_of(const Command& command, const Positional& one) {
  if (command.name != "help") return {one.choices.begin(), one.choices.end()};
  std::vector<std::string> words = first_words();
  for (const Topic& topic : topics()) words.emplace_back(topic.name);
  return words;
}

/// Everything that may follow the command's name.
std::vector<std::string> words_after(const Command& command) {
  std::vector<std::string> words;
  for (const Positional& one : command.positionals) {
    std::ranges::move(choices_of(command, one), std::back_inserter(words));
  }
  for (const Option& option : command.options) words.emplace_back(option.long_name());
  words.emplace_back("--help");
  return words;
}

/// Options whose value is a file's name.
bool takes_file(const Option& option) {
  return option.value == "FILE";
}

std::string bash() {
  // Bash takes the first pattern that fits: of `requests` and `requests new`, the longer one.
  std::string cases;
  std::string short_cases;
  std::set<std::string> files;
  std::set<std::string_view> grouped;
  for (const Command& command : commands()) {
    for (const Option& option : command.options) {
      if (takes_file(option)) files.insert(std::string(option.long_name()));
    }
    if (const std::size_t blank = command.name.find(' '); blank != std::string_view::npos) {
      const std::string_view word = command.name.substr(0, blank);
      if (grouped.insert(word).second) {
        std::string names = fmt::format("{} ", fmt::join(second_words(word), " "));
        if (const Command* alone = find_command(word)) {
          names += fmt::format("{} ", fmt::join(words_after(*alone), " "));
        }
        cases += fmt::format("    '{} ') words='{}' ;;\n", word, names);
      }
    }
    const bool one_word = command.name.find(' ') == std::string_view::npos;
    (one_word ? short_cases : cases) += fmt::format("    '{} '*) words='{}' ;;\n", command.name,
                                                    fmt::join(words_after(command), " "));
  }
  return fmt::format(R"(# bash completion of molecule-mcp
_molecule_mcp() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} words line
  COMPREPLY=()
  case $before in
    {}) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
  esac
  line="${{COMP_WORDS[*]:1:COMP_CWORD-1}} "
  case $line in
    ' ') words='{} --help --version' ;;
{}    *) words='' ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}}
complete -F _molecule_mcp molecule-mcp
)",
                     fmt::join(files, "|"), fmt::join(first_words(), " "), cases + short_cases);
}

/// In single quotes of a POSIX shell.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

/// A description inside `[…]` of zsh's _arguments.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("[]:\\").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_arguments(const Command& command) {
  std::string out = "_arguments -s";
  for (const Option& option : command.options) {
    std::string spec = option.repeated ? "*" : "";
    spec += option.long_name();
    if (!option.value.empty()) spec += option.optional_value() ? "=-" : "=";
    spec += fmt::format("[{}]", zsh_text(option.help));
    if (!option.value.empty()) {
      const std::string_view how = takes_file(option) ? "_files" : " ";
      spec += fmt::format("{}{}:{}", option.optional_value() ? "::" : ":", "value", how);
    }
    out += " \\\n        " + quoted(spec);
  }
  for (const Positional& one : command.positionals) {
    const std::vector<std::string> choices = choices_of(command, one);
    const std::string how = choices.empty() ? " " : fmt::format("({})", fmt::join(choices, " "));
    const std::string_view lead = one.repeated ? "*:" : one.required ? ":" : "::";
    out += " \\\n        " + quoted(fmt::format("{}{}:{}", lead, one.name, how));
  }
  return out + " \\\n        '--help[Print this help]'";
}

std::string zsh() {
  std::string words;
  for (const std::string& word : first_words()) {
    words += fmt::format("    {}\n", quoted(fmt::format("{}:{}", word, summary_of(word))));
  }
  std::string cases;
  std::set<std::string_view> grouped;
  for (const Command& command : commands()) {
    const std::size_t blank = command.name.find(' ');
    if (blank == std::string_view::npos && !commands_below(command.name).empty()) continue;
    if (blank == std::string_view::npos) {
      cases += fmt::format("      {})\n        {} ;;\n", command.name, zsh_arguments(command));
      continue;
    }
    const std::string_view word = command.name.substr(0, blank);
    if (!grouped.insert(word).second) continue;
    std::string inner;
    for (const Command* one : commands_below(word)) {
      inner +=
          fmt::format("          {}) {} ;;\n", one->name.substr(blank + 1), zsh_arguments(*one));
    }
    if (const Command* alone = find_command(word)) {
      inner += fmt::format("          *) {} ;;\n", zsh_arguments(*alone));
    }
    cases += fmt::format(
        "      {})\n        if (( CURRENT == 2 )); then compadd -- {}\n"
        "        else shift words; (( CURRENT-- ))\n        case $words[1] in\n{}        esac; fi "
        ";;\n",
        word, fmt::join(second_words(word), " "), inner);
  }
  return fmt::format(R"(#compdef molecule-mcp
_molecule_mcp() {{
  local -a commands
  commands=(
{}  )
  if (( CURRENT == 2 )); then
    _describe command commands
    _arguments '--help[Print the commands]' '--version[Print the version]'
  else
    shift words; (( CURRENT-- ))
    case $words[1] in
{}    esac
  fi
}}
if [ "$funcstack[1]" = _molecule-mcp ]; then _molecule_mcp "$@"; else compdef _molecule_mcp molecule-mcp; fi
)",
                     words, cases);
}

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

/// The condition under which a command is the one on the line: `memory add` follows the program,
/// wherever else these words may stand.
std::string fish_when(const Command& command) {
  std::string when = fmt::format("__molecule_mcp_runs {}", command.name);
  const auto below = second_words(command.name);
  if (!below.empty()) {
    when += fmt::format("; and not __fish_seen_subcommand_from {}", fmt::join(below, " "));
  }
  return fish_quoted(when);
}

void fish_line(std::string& out, std::string_view when, std::string_view what,
               std::string_view summary) {
  out += fmt::format("complete -c molecule-mcp -n {} {}", when, what);
  if (!summary.empty()) out += fmt::format(" -d {}", fish_quoted(summary));
  out += '\n';
}

std::string fish() {
  std::string out = R"(# fish completion of molecule-mcp
function __molecule_mcp_runs
  set -l words (commandline -opc)
  test (count $words) -gt (count $argv)
  or return 1
  set -l last (math (count $argv) + 1)
  test "$words[2..$last]" = "$argv"
end
)";
  out += "complete -c molecule-mcp -f\n";
  constexpr std::string_view first = "'test (count (commandline -opc)) -eq 1'";
  fish_line(out, first, "-l version", "Print the version");
  out += "complete -c molecule-mcp -l help -s h -d 'Print help'\n";
  for (const std::string& word : first_words()) {
    fish_line(out, first, "-a " + word, summary_of(word));
    for (const Command* one : commands_below(word)) {
      const std::string when = fish_quoted(
          fmt::format("__molecule_mcp_runs {}; and test (count (commandline -opc)) -eq 2", word));
      fish_line(out, when, fmt::format("-a {}", one->name.substr(word.size() + 1)), one->summary);
    }
  }
  for (const Command& command : commands()) {
    const std::string when = fish_when(command);
    for (const Option& option : command.options) {
      std::string what = fmt::format("-l {}", option.long_name().substr(2));
      if (option.names.size() > option.long_name().size()) {
        what += fmt::format(" -s {}", option.names.substr(1, 1));
      }
      if (takes_file(option)) {
        what += " -r -F";
      } else if (!option.value.empty() && !option.optional_value()) {
        what += " -x";
      }
      fish_line(out, when, what, option.help);
    }
    for (const Positional& one : command.positionals) {
      for (const std::string& choice : choices_of(command, one)) {
        fish_line(out, when, "-a " + choice, {});
      }
    }
  }
  return out;
}

}  // namespace

std::string completion_script(std::string_view shell) {
  if (shell == "zsh") return zsh();
  return shell == "fish" ? fish() : bash();
}

int completion(const Arguments& arguments) {
  return output::print(completion_script(arguments.value("SHELL"))) ? exit_code::done
                                                                    : exit_code::failed;
}

}  // namespace molecule::cli
