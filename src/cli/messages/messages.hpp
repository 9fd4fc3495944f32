#pragma once

#include "cli/commands/command.hpp"

namespace molecule::cli {

// The commands about messages; each returns its exit code.

int inbox(const Arguments& arguments);
int show(const Arguments& arguments);
int pop(const Arguments& arguments);
int retry(const Arguments& arguments);
int send(const Arguments& arguments);
int reply(const Arguments& arguments);
int user(const Arguments& arguments);

}  // namespace molecule::cli
