#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace molecule::cli {

/// One thing that `doctor` checked.
struct Check {
  enum class Status { ok, warn, fail };
  Status status = Status::ok;
  /// A word or two: what was checked.
  std::string name;
  /// What was found; never a secret.
  std::string detail;
  /// What to do about it; may be empty.
  std::string next;
};

/// What `doctor` found, for people line by line as it comes, or as one JSON object at the end.
class Report {
 public:
  enum class Form { text, json };
  explicit Report(Form form);

  /// The checks that follow are about this workspace; `heading`: say so to people.
  void begin_workspace(std::string_view id, bool heading);
  void end_workspace() { workspace_.clear(); }
  void add(Check check);
  /// On a terminal: what is being waited for. The next `add` takes its place.
  void waiting_for(std::string_view what);
  /// Prints the end; true if there was no failure.
  bool finish();

 private:
  struct Entry {
    Check check;
    /// Empty if it is about all of them.
    std::string workspace;
  };
  void print(const Check& check);
  void forget_waiting();
  std::string to_json(bool ok) const;

  Form form_;
  bool terminal_;
  bool waiting_ = false;
  std::string workspace_;
  std::vector<Entry> entries_;
};

/// Writes all of it to stdout; errors are ignored, since the reader closed the pipe.
void print(std::string_view text);
/// True if stdout is a terminal with colours, and NO_COLOR is not set.
bool wants_colour();

}  // namespace molecule::cli
