#pragma once

#include <string>
#include <vector>

namespace molecule::cli {

struct Ran {
  /// Negative if it could not be started or was ended by a signal.
  int code = -1;
  /// What it wrote to stdout and stderr, at most 64 KiB.
  std::string output;
};

/// Runs another program to its end, with nothing on stdin and without the variables that hold
/// tokens. For commands of a person only: it blocks.
Ran run_program(const std::vector<std::string>& command);

/// Replaces this process by the program, without those variables. Returns only if that fails.
void become_program(const std::vector<std::string>& command);

}  // namespace molecule::cli
