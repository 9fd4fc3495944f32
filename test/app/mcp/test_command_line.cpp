// What molecule-mcp's arguments mean.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "app/mcp/command_line.hpp"

using namespace molecule;
using app::Command;

namespace {

app::CommandLine parse(const std::vector<const char*>& arguments) {
  return app::parse_command_line(arguments);
}

}  // namespace

TEST_CASE("without arguments it serves, in every era") {
  CHECK(parse({}).command == Command::serve);
  CHECK(parse({}).era == mcp::Era::automatic);
  CHECK(parse({"serve"}).command == Command::serve);
}

TEST_CASE("the era has two spellings, and the last one counts") {
  CHECK(parse({"--era", "initialize"}).era == mcp::Era::initialize_only);
  CHECK(parse({"--era=stateless"}).era == mcp::Era::stateless_only);
  CHECK(parse({"serve", "--era", "auto"}).era == mcp::Era::automatic);
  CHECK(parse({"serve", "--era", "initialize", "--era=stateless"}).era == mcp::Era::stateless_only);
}

TEST_CASE("doctor and status report as text or as JSON") {
  CHECK(parse({"doctor"}).command == Command::doctor);
  CHECK_FALSE(parse({"doctor"}).json);
  CHECK(parse({"doctor", "--json"}).json);
  CHECK(parse({"status"}).command == Command::status);
  CHECK(parse({"status", "--json"}).json);
}

TEST_CASE("help and version") {
  CHECK(parse({"--help"}).command == Command::help);
  CHECK(parse({"-h"}).command == Command::help);
  CHECK(parse({"doctor", "--help"}).command == Command::help);
  CHECK(parse({"status", "-h"}).command == Command::help);
  CHECK(parse({"--version"}).command == Command::version);
}

TEST_CASE("anything else is unknown") {
  const std::vector<std::vector<const char*>> lines = {
      {""},
      {"frobnicate"},
      {"serve", "serve"},
      {"serve", "--help"},
      {"--era"},
      {"--era="},
      {"--era", "none"},
      {"--era", "Auto"},
      {"--erainitialize"},
      {"serve", "--era", "auto", "more"},
      {"doctor", "--yaml"},
      {"doctor", "--json", "--json"},
      {"status", "more"},
      {"doctor", "status"},
  };
  for (const auto& line : lines) {
    CAPTURE(line.back());
    CHECK(parse(line).command == Command::unknown);
  }
}

TEST_CASE("the usage names every command and variable that there is") {
  const std::string usage = app::usage;
  for (const char* word : {"serve", "--era", "doctor", "status", "--json", "--help", "--version",
                           "WORKSPACE_ID", "PLATFORM_URL", "MOLECULE_LOG", "Exit codes"}) {
    CAPTURE(word);
    CHECK(usage.find(word) != std::string::npos);
  }
}
