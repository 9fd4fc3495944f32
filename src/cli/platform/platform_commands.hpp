#pragma once

#include "cli/commands/command.hpp"

namespace molecule::cli {

// The commands that ask the platform; each returns its exit code.

int peers(const Arguments& arguments);
int whoami(const Arguments& arguments);
int history(const Arguments& arguments);
int search(const Arguments& arguments);
int memory_add(const Arguments& arguments);
int memory_find(const Arguments& arguments);

}  // namespace molecule::cli
