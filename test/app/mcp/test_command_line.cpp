// What molecule-mcp's arguments mean.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "app/mcp/command_line.hpp"
#include "cli/commands/completion.hpp"
#include "cli/commands/help.hpp"
#include "cli/commands/manual.hpp"

using namespace molecule;

namespace {

app::CommandLine parse(const std::vector<const char*>& arguments) {
  return app::parse_command_line(arguments);
}

std::string name_of(const app::CommandLine& line) {
  return line.command != nullptr ? std::string(line.command->name) : "";
}

std::string topics_in(const std::string& text) {
  std::string missing;
  for (const cli::Command& command : cli::commands()) {
    if (text.find(command.name) == std::string::npos) missing += std::string(command.name) + " ";
  }
  return missing;
}

}  // namespace

TEST_CASE("without arguments it serves, in every era") {
  CHECK(name_of(parse({})) == "serve");
  CHECK(parse({}).era == mcp::Era::automatic);
  CHECK(name_of(parse({"serve"})) == "serve");
}

TEST_CASE("the era has two spellings, and the last one counts") {
  CHECK(parse({"--era", "initialize"}).era == mcp::Era::initialize_only);
  CHECK(parse({"--era=stateless"}).era == mcp::Era::stateless_only);
  CHECK(parse({"serve", "--era", "auto"}).era == mcp::Era::automatic);
  CHECK(parse({"serve", "--era", "initialize", "--era=stateless"}).era == mcp::Era::stateless_only);
}

TEST_CASE("a command has its options and arguments") {
  const auto send = parse({"send", "ana", "hello", "--file", "a", "--file=b", "--json"});
  CHECK(name_of(send) == "send");
  CHECK(send.arguments.value("WHO") == "ana");
  CHECK(send.arguments.value("TEXT") == "hello");
  CHECK(send.arguments.values("--file") == std::vector<std::string>{"a", "b"});
  CHECK(send.arguments.json());
  CHECK_FALSE(send.arguments.has("--wait"));
  CHECK(name_of(parse({"memory", "add", "x"})) == "memory add");
  CHECK(parse({"pop", "a", "b", "c"}).arguments.values("ID").size() == 3);
}

TEST_CASE("an option that may have a value does not take the word after it") {
  const auto bare = parse({"send", "ana", "--wait", "hello"});
  CHECK(bare.arguments.value("--wait") == "300");
  CHECK(bare.arguments.value("TEXT") == "hello");
  CHECK(parse({"inbox", "--wait"}).arguments.value("--wait") == "60");
  CHECK(parse({"inbox", "--wait=5"}).arguments.value("--wait") == "5");
}

TEST_CASE("a text may be anything") {
  CHECK(parse({"send", "ana", "-"}).arguments.value("TEXT") == "-");
  CHECK(parse({"send", "ana", "- a list"}).arguments.value("TEXT") == "- a list");
  CHECK(parse({"send", "--", "ana", "--help"}).arguments.value("TEXT") == "--help");
  CHECK(parse({"send", "ana", ""}).arguments.has("TEXT"));
  CHECK(parse({"send", "ana", "[a,b]"}).arguments.value("TEXT") == "[a,b]");
}

TEST_CASE("the daemon reads its arguments itself") {
  const auto line = parse({"daemon", "--check", "--", "x"});
  CHECK(name_of(line) == "daemon");
  CHECK(line.rest.size() == 3);
}

TEST_CASE("help and version") {
  CHECK(parse({"--help"}).text == cli::overview());
  CHECK(parse({"-h"}).text == cli::overview());
  CHECK(parse({"doctor", "--help"}).text == cli::describe(*cli::find_command("doctor")));
  CHECK(parse({"memory", "find", "-h"}).text.find("memory find") != std::string::npos);
  CHECK(parse({"memory", "--help"}).text.find("memory add") != std::string::npos);
  CHECK(parse({"--version"}).text.starts_with("molecule-mcp "));
  CHECK(name_of(parse({"help", "exit-codes"})) == "help");
}

TEST_CASE("anything else is wrong usage") {
  const std::vector<std::vector<const char*>> lines = {
      {""},
      {"frobnicate"},
      {"serve", "serve"},
      {"--era"},
      {"--era="},
      {"--era", "none"},
      {"--era", "Auto"},
      {"--erainitialize"},
      {"serve", "--era", "auto", "more"},
      {"doctor", "--yaml"},
      {"status", "more"},
      {"doctor", "status"},
      {"--json"},
      {"memory"},
      {"memory", "frob"},
      {"send"},
      {"send", "a", "b", "c"},
      {"pop"},
      {"install", "emacs"},
      {"completion", "tcsh"},
      {"hook"},
      {"inbox", "--wait", "5"},
  };
  for (const auto& line : lines) {
    CAPTURE(line.back());
    CHECK(parse(line).command == nullptr);
    CHECK(parse(line).exit_code == 2);
  }
}

TEST_CASE("a slip finds what was meant") {
  const std::vector<std::string_view> words{"inbox", "install", "history", "send"};
  CHECK(cli::nearest("inbx", words) == "inbox");
  CHECK(cli::nearest("instal", words) == "install");
  CHECK(cli::nearest("sned", words) == "send");
  CHECK(cli::nearest("zzzzz", words).empty());
  CHECK(cli::nearest(std::string(100'000, 'x'), words).empty());
}

TEST_CASE("help, the manual and the completions know every command") {
  CHECK(topics_in(cli::overview()).empty());
  CHECK(topics_in(cli::manual()).empty());
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = cli::completion_script(shell);
    CAPTURE(shell);
    for (const cli::Command& command : cli::commands()) {
      CAPTURE(command.name);
      CHECK(script.find(command.name.substr(0, command.name.find(' '))) != std::string::npos);
      for (const cli::Option& option : command.options) {
        CHECK(script.find(option.long_name().substr(2)) != std::string::npos);
      }
    }
  }
}

TEST_CASE("every command has a summary, and every public one an example") {
  for (const cli::Command& command : cli::commands()) {
    CAPTURE(command.name);
    CHECK_FALSE(command.summary.empty());
    CHECK_FALSE(command.examples.empty());
    CHECK(cli::describe(command).find("Examples:") != std::string::npos);
  }
}
