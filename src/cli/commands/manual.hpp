#pragma once

#include <string>

namespace molecule::cli {

/// The source of molecule-mcp(1), in scdoc's form, from the table of commands.
std::string manual();

}  // namespace molecule::cli
