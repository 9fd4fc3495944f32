#pragma once

#include <memory>
#include <string>

#include "molecule/mcp/tool.hpp"
#include "tools/tools.hpp"

namespace molecule::tools {

/// Sends a call's progress, in seconds since it began, every `Timing::progress` until the end of
/// its scope, while the call waits inside one operation. Lives in the handler's frame.
class Progress {
 public:
  Progress(Services& services, mcp::Call& call, std::string message);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

 private:
  TaskGroup& tasks_;
  /// Null once the call may be gone: a cancelled task ends only when the loop resumes it.
  std::shared_ptr<mcp::Call*> call_;
  TaskGroup::Id task_;
};

}  // namespace molecule::tools
