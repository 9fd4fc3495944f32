// Edits of Codex's configuration and of config.toml: what is not ours stays byte for byte.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/toml.hpp"
#include "cli/install/toml_edit.hpp"

using namespace molecule;

namespace {

const std::vector<std::string> path{"mcp_servers", "ours"};
constexpr const char* tables =
    "[mcp_servers.ours]\ncommand = \"x\"\n\n[mcp_servers.ours.env]\nA = \"1\"\n";

std::string set(const std::string& text) {
  auto result = cli::set_toml_table(text, path, tables);
  REQUIRE(result.ok());
  REQUIRE(toml_to_json(*result).ok());
  return *result;
}

}  // namespace

TEST_CASE("a table is added, replaced and removed, and the rest stays") {
  for (const char* text :
       {"", "a = 1\n", "a = 1", "# top\n[other] # x\nb = 2\n\n# about c\n[other.c]\nd = 3\n",
        "s = \"\"\"\n[mcp_servers.ours]\n\"\"\"\n", "l = [\n  \"a\",\n  [\"b\"],\n]\n",
        "s = '''\n[x]'''\n[[list]]\na = 1\n[[list]]\na = 2\n",
        "[mcp_servers.theirs]\ncommand = \"y\"\n",
        "[\"mcp_servers\".\"other\"]\ncommand = \"y\"\n"}) {
    CAPTURE(text);
    const std::string once = set(text);
    CHECK(once.find("[mcp_servers.ours]\ncommand") != std::string::npos);
    CHECK(set(once) == once);
    CHECK(toml_to_json(cli::remove_toml_table(once, path)).value() == toml_to_json(text).value());
  }
}

TEST_CASE("comments before the next table are that table's") {
  const std::string text = std::string(tables) + "\n# about b\n[b]\nc = 1\n";
  CHECK(cli::remove_toml_table(text, path) == "\n# about b\n[b]\nc = 1\n");
  CHECK(cli::set_toml_table(text, path, "[mcp_servers.ours]\nnew = 1\n").value() ==
        "[mcp_servers.ours]\nnew = 1\n\n# about b\n[b]\nc = 1\n");
}

TEST_CASE("a quoted name is the same table") {
  CHECK(cli::remove_toml_table("[mcp_servers.\"ours\"]\na = 1\n", path).empty());
  CHECK(cli::remove_toml_table("[ mcp_servers . 'ours' ]\na = 1\n", path).empty());
}

TEST_CASE("what is not valid, or has the table in another form, is refused") {
  for (const char* text :
       {"a = ", "[x", "mcp_servers = { ours = { command = \"z\" } }\n",
        "[mcp_servers]\nours = { command = \"z\" }\n", "mcp_servers.ours.command = \"z\"\n"}) {
    CAPTURE(text);
    CHECK_FALSE(cli::set_toml_table(text, path, tables).ok());
  }
}

TEST_CASE("elements of a list of tables are removed by number") {
  const std::string text = "# top\n[[w]]\nid = 1\n[w.x]\ny = 1\n[[w]]\nid = 2\n\n[z]\na = 1\n";
  CHECK(cli::remove_toml_items(text, {"w"}, {0}) == "# top\n[[w]]\nid = 2\n\n[z]\na = 1\n");
  CHECK(cli::remove_toml_items(text, {"w"}, {1}) ==
        "# top\n[[w]]\nid = 1\n[w.x]\ny = 1\n\n[z]\na = 1\n");
  CHECK(cli::remove_toml_items(text, {"w"}, {}) == text);
}

TEST_CASE("a string is quoted so that it is read back") {
  for (const char* text :
       {"plain", "with \"quotes\"", "back\\slash", "tab\tnew\nline", "Ünïcode"}) {
    auto json = toml_to_json("a = " + cli::toml_quoted(text) + "\n");
    REQUIRE(json.ok());
    CAPTURE(*json);
    CHECK(json->find(text[0]) != std::string::npos);
  }
}
