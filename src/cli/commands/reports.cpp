#include "cli/commands/reports.hpp"

#include "cli/doctor.hpp"
#include "cli/report.hpp"
#include "cli/status.hpp"
#include "workspace/config/config.hpp"

namespace molecule::cli {

namespace {

Report::Form form(const Arguments& arguments) {
  return arguments.json() ? Report::Form::json : Report::Form::text;
}

}  // namespace

int status_command(const Arguments& arguments) {
  return status(workspace::process_environment(), form(arguments));
}

int doctor_command(const Arguments& arguments) {
  return doctor(workspace::process_environment(), form(arguments), arguments.value("--host"));
}

}  // namespace molecule::cli
