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
int requests(const Arguments& arguments);
int requests_new(const Arguments& arguments);
int requests_respond(const Arguments& arguments);
int requests_cancel(const Arguments& arguments);

}  // namespace molecule::cli
