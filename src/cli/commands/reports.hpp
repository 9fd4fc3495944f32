#pragma once

#include "cli/commands/command.hpp"

namespace molecule::cli {

int status_command(const Arguments& arguments);
int doctor_command(const Arguments& arguments);

}  // namespace molecule::cli
