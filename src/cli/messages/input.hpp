#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "cli/commands/command.hpp"

namespace molecule::cli {

/// The text of a message or memory: the argument, or stdin for `-` and for nothing. It is not empty
/// and valid UTF-8; a problem has been said, and is the exit code.
Result<std::string, int> read_text(const Arguments& arguments);
/// The same for what one argument says.
Result<std::string, int> read_text(std::string given);

/// All of stdin, at most `limit` bytes; a problem is a line for people.
Result<std::string, std::string> read_stdin(std::size_t limit);

/// The whole path of a file that was named on the command line.
std::string whole_path(const std::string& given);

}  // namespace molecule::cli
