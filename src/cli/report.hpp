#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace molecule::cli {

/// One thing that `doctor` looked at.
struct Check {
  enum class Status { ok, warn, fail };
  Status status = Status::ok;
  /// A word or two: what was looked at.
  std::string name;
  /// What was found; never a secret.
  std::string detail;
  /// What to do about it; empty where nothing is.
  std::string next;
};

/// What `doctor` found, for people line by line as it comes, or as one JSON object at the end.
class Report {
 public:
  enum class Form { text, json };
  explicit Report(Form form);

  /// The checks that follow are about this workspace; `heading` where people must be told.
  void begin_workspace(std::string_view id, bool heading);
  void end_workspace() { workspace_.clear(); }
  void add(Check check);
  /// On a terminal: what is being waited for. The next `add` takes its place.
  void waiting_for(std::string_view what);
  /// Prints the end; returns whether there was no failure, one of printing included.
  bool finish();

 private:
  struct Entry {
    Check check;
    /// Empty where it is about all of them.
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

/// Whether stdout is a terminal that takes colours, and NO_COLOR does not say otherwise.
bool wants_colour();

}  // namespace molecule::cli
