#include "cli/commands/manual.hpp"

#include <fmt/format.h>

#include "cli/commands/help.hpp"

namespace molecule::cli {

namespace {

/// Without meaning to scdoc. Its `_` marks words only at their edges, but `\_` is always right.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\_*[]#`~<>").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

void add_option(std::string& out, const Option& option) {
  std::string_view names = option.names;
  if (const std::size_t comma = names.find(','); comma != std::string_view::npos) {
    out += fmt::format("*{}*, ", escaped(names.substr(0, comma)));
    names.remove_prefix(comma + 1);
  }
  out += fmt::format("*{}*", escaped(names));
  if (option.optional_value()) {
    out += fmt::format("\\[=_{}_\\]", option.value.substr(1, option.value.size() - 2));
  } else if (!option.value.empty()) {
    out += fmt::format(" _{}_", option.value);
  }
  out += fmt::format("\n\t{}.\n\n", escaped(option.help));
}

void add_command(std::string& out, const Command& command) {
  out += fmt::format("## {}\n\n*molecule-mcp {}*", escaped(command.name), escaped(command.name));
  if (!command.options.empty()) out += " \\[options\\]";
  for (const Positional& one : command.positionals) {
    const std::string_view dots = one.repeated ? "…" : "";
    out += one.required ? fmt::format(" _{}_{}", one.name, dots)
                        : fmt::format(" \\[_{}_{}\\]", one.name, dots);
  }
  out += fmt::format("\n\n{}.", escaped(command.summary));
  if (!command.detail.empty()) out += fmt::format(" {}", escaped(command.detail));
  out += "\n\n";
  for (const Positional& one : command.positionals) {
    out += fmt::format("_{}_\n\t{}", one.name, escaped(one.help));
    if (!one.choices.empty()) out += escaped(fmt::format(": {}", fmt::join(one.choices, ", ")));
    out += ".\n\n";
  }
  for (const Option& option : command.options) add_option(out, option);
  if (command.examples.empty()) return;
  out += "```\n";
  for (const std::string_view example : command.examples) out += fmt::format("{}\n", example);
  out += "```\n\n";
}

/// As it stands: its columns are its form.
void add_topic(std::string& out, std::string_view heading, std::string_view text) {
  out += fmt::format("# {}\n\n```\n{}```\n\n", heading, text);
}

}  // namespace

std::string manual() {
  std::string out =
      "molecule-mcp(1) \"molecule-mcp " MOLECULE_VERSION
      "\"\n\n"
      "# NAME\n\nmolecule-mcp - put agents online on a Molecule platform\n\n"
      "# SYNOPSIS\n\n*molecule-mcp* \\[_COMMAND_ \\[options\\]\\]\n\n"
      "# DESCRIPTION\n\n"
      "Puts agents online on a Molecule platform: as the MCP server of an agent host (without a "
      "command), as a daemon without a host (*daemon*), and as the commands of a person or a "
      "script. Data goes to standard output and words to standard error.\n\n"
      "# COMMANDS\n\n";
  for (const Command& command : commands()) add_command(out, command);
  out +=
      "# OPTIONS\n\n*-h*, *--help*\n\tPrint the commands, or the help of one command.\n\n"
      "*--version*\n\tPrint the version.\n\n";
  add_topic(out, "ENVIRONMENT", topics()[0].text);
  add_topic(out, "EXIT STATUS", topics()[1].text);
  add_topic(out, "HANDLERS", topics()[2].text);
  add_topic(out, "HOOKS", topics()[3].text);
  out +=
      "# FILES\n\n_~/.config/molecule/config.toml_\n\tWhat *setup* writes: the platform, the "
      "workspaces, and where each token lies.\n\n_~/.config/molecule/daemon.toml_\n\tThe handlers "
      "of the daemon.\n\n_~/.molecule-workspace/_\n\tThe state folder: tokens, messages and "
      "received files.\n\n# SEE ALSO\n\n*molecule-platform*(1), *molecule-daemon.toml*(5)\n";
  return out;
}

}  // namespace molecule::cli
