#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace molecule::cli {

/// The result of one check of `doctor`.
struct Check {
  enum class Status { ok, warn, fail };
  Status status = Status::ok;
  /// A word or two: what was checked.
  std::string name;
  /// The finding; never contains a secret.
  std::string detail;
  /// What to do next; empty if nothing needs doing.
  std::string next;
};

/// Prints the checks of `doctor`: as text, line by line as they arrive, or as one JSON object at
/// the end.
class Report {
 public:
  enum class Form { text, json };
  explicit Report(Form form);

  /// Assigns the checks that follow to this workspace. `heading`: print its id in the text form.
  void begin_workspace(std::string_view id, bool heading);
  void end_workspace() { workspace_.clear(); }
  void add(Check check);
  /// On a terminal, shows what is being waited for until the next `add`.
  void waiting_for(std::string_view what);
  /// Prints the summary or the JSON. Returns true if no check failed and everything was printed.
  bool finish();

 private:
  struct Entry {
    Check check;
    /// Empty for checks that concern no particular workspace.
    std::string workspace;
  };
  void print(const Check& check);
  void show(std::string_view text);
  void forget_waiting();
  std::string to_json(bool ok) const;

  Form form_;
  bool terminal_;
  bool waiting_ = false;
  bool failed_ = false;  ///< to print
  std::string workspace_;
  std::vector<Entry> entries_;
};

}  // namespace molecule::cli
