#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json/writer.hpp"
#include "tools/tools.hpp"

namespace molecule::tools {

/// The messages that the agent has been given before and has not removed: it should know of them
/// whatever a call returns.
class OpenMessages {
 public:
  explicit OpenMessages(Services& services);

  /// True if all of them are among these.
  bool all_in(const std::vector<workspace::Workspaces::Arrival>& shown) const;
  /// The members `open` and `open_more` of a result, if any; without the message of that id.
  void write(json::Object& result, std::string_view except = {}) const;
  /// The same as a text, for hosts that show no structured results.
  std::string as_text() const;

 private:
  workspace::Workspaces::Open open_;
};

/// Which messages of this session another one has taken over; empty if none. Each is told once.
std::string taken_over(Services& services);

}  // namespace molecule::tools
