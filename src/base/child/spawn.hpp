#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace molecule {

/// A started program and our ends of its pipes, which do not block.
struct Spawned {
  pid_t process = -1;
  int input = -1;
  int output = -1;
  int errors = -1;
  /// Why nothing was started, for people.
  std::string problem = {};
};

/// Starts a program in a session of its own. `program` is a path.
Spawned spawn(const std::string& program, const std::vector<std::string>& argv,
              const std::vector<std::string>& environment,
              const std::filesystem::path& working_directory);

/// The program's path: `name` itself if it has a slash, else the first match in `search_path`;
/// empty if there is none.
std::string find_program(const std::string& name, std::string_view search_path);

/// A process that an earlier run of this program started.
struct ProcessMark {
  pid_t process = -1;
  /// `start_time` when it was started.
  std::string started = {};
  /// A variable of its environment, `NAME=value`, that no other process has.
  std::string mark = {};
};

/// When the process was started, in the system's own form; empty if it is unknown or there is none.
std::string start_time(pid_t process);

/// Kills what is left of that process and its group; returns how many processes. A process that has
/// its number by chance is left alone.
int end_orphans(const ProcessMark& mark);

}  // namespace molecule
