#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace molecule::cli {

/// The exit codes of every command; `help exit-codes` explains them.
namespace exit_code {
inline constexpr int done = 0;
inline constexpr int failed = 1;
inline constexpr int usage = 2;
inline constexpr int refused = 3;
inline constexpr int not_found = 4;
inline constexpr int unreachable = 5;
inline constexpr int nothing_came = 6;
}  // namespace exit_code

struct Option {
  /// `--wait`, or with a short form `-f,--follow`.
  std::string_view names;
  /// What it takes, in capitals; empty for a switch. `[SECS]` may be left out: `--wait[=SECS]`.
  std::string_view value = {};
  std::string_view help;
  bool repeated = false;

  std::string_view long_name() const;
  bool optional_value() const { return value.starts_with('['); }
};

struct Positional {
  std::string_view name;
  std::string_view help;
  bool required = true;
  bool repeated = false;
  /// If not empty, the only words that are accepted.
  std::span<const std::string_view> choices = {};
};

/// What a command was given, as checked against its entry in the table.
class Arguments {
 public:
  bool has(std::string_view name) const { return given_.find(name) != given_.end(); }
  /// The last value, or `otherwise`.
  std::string value(std::string_view name, std::string_view otherwise = {}) const;
  std::vector<std::string> values(std::string_view name) const;
  void add(std::string_view name, std::string value);
  bool json() const { return has("--json"); }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> given_;
};

/// One row of the table that parsing, help, completions and the manual are made from.
struct Command {
  /// One word, or two (`memory add`).
  std::string_view name;
  /// The heading under which help lists it; empty: only `help NAME` shows it.
  std::string_view group;
  std::string_view summary;
  /// More about it, in whole sentences; may be empty.
  std::string_view detail;
  std::span<const Positional> positionals;
  std::span<const Option> options;
  /// Lines that work as they are.
  std::span<const std::string_view> examples;
  /// Returns the exit code. Null: the program itself runs it.
  int (*run)(const Arguments& arguments);
};

/// All commands, in the order in which they are listed.
std::span<const Command> commands();

/// The command of that name; null if there is none.
const Command* find_command(std::string_view name);
/// The commands whose first of two words this is.
std::vector<const Command*> commands_below(std::string_view word);
/// The command or topic that is spelled most like `word`; empty if none is close.
std::string_view nearest(std::string_view word, std::span<const std::string_view> words);

}  // namespace molecule::cli
