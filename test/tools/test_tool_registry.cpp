#include <set>

#include "tools/fixture.hpp"

using namespace molecule;
using namespace molecule::test;

TEST_CASE("the tools, in their order, with their arguments") {
  Fixture fixture;
  struct Row {
    std::string name;
    std::vector<std::string> arguments;
    std::vector<std::string> required;
  };
  const std::vector<Row> rows{
      {"delegate_task", {"workspace_id", "task"}, {"workspace_id", "task"}},
      {"delegate_task_async", {"workspace_id", "task"}, {"workspace_id", "task"}},
      {"check_task_status", {"workspace_id", "task_id", "offset"}, {"workspace_id", "task_id"}},
      {"list_peers", {"offset"}, {}},
      {"get_workspace_info", {}, {}},
      {"send_message_to_user", {"message", "attachments"}, {"message"}},
      {"wait_for_message", {"timeout_secs"}, {}},
      {"inbox_peek", {"limit", "activity_id", "offset"}, {}},
      {"inbox_pop", {"activity_id"}, {"activity_id"}},
      {"commit_memory", {"content", "scope"}, {"content"}},
      {"recall_memory", {"query", "scope", "id", "offset"}, {}},
      {"reply", {"activity_id", "text", "attachments"}, {"activity_id", "text"}},
      {"chat_history", {"peer_id", "limit", "before_ts", "id", "offset"}, {}},
      {"create_request", {"kind", "title", "detail", "recipient", "priority"}, {"kind", "title"}},
      {"check_requests", {"request_id", "status"}, {}},
      {"respond_request", {"request_id", "action", "message"}, {"request_id"}},
      {"cancel_request", {"request_id"}, {"request_id"}},
      {"update_agent_card", {"card"}, {"card"}},
      {"broadcast_message", {"message"}, {"message"}},
      {"get_runtime_identity", {}, {}},
  };
  REQUIRE(fixture.tools.size() == rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const mcp::Tool& tool = fixture.tools[i];
    CAPTURE(tool.name);
    CHECK(tool.name == rows[i].name);
    const json::Document schema = parsed(tool.input_schema);
    std::vector<std::string> arguments;
    for (const auto& [name, value] : schema.root()["properties"].members()) {
      arguments.emplace_back(name);
    }
    std::vector<std::string> required;
    for (const json::Value name : schema.root()["required"].items()) {
      required.emplace_back(name.string_or(""));
    }
    CHECK(arguments == rows[i].arguments);
    CHECK(required == rows[i].required);
  }
}

TEST_CASE("every client accepts the list (mcp-protocol.md 4)") {
  Fixture fixture;
  const std::set<std::string_view> types{"string",  "number", "integer",
                                         "boolean", "array",  "object"};
  for (const mcp::Tool& tool : fixture.tools) {
    CAPTURE(tool.name);
    CHECK(tool.name.size() <= 40);
    CHECK(tool.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") ==
          std::string::npos);
    CHECK(tool.description.size() <= 320);
    const mcp::Annotations& hints = tool.annotations;
    CHECK((hints.read_only || hints.destructive || hints.idempotent));
    if (!tool.output_schema.empty()) {
      CHECK(parsed(tool.output_schema).root()["type"].string_or("") == "object");
    }
    const json::Document schema = parsed(tool.input_schema);
    CHECK(schema.root()["type"].string_or("") == "object");
    CHECK(schema.root()["properties"].is_object());
    for (const char* key : {"anyOf", "oneOf", "allOf", "$ref", "$defs"}) {
      CHECK_FALSE(schema.root()[key].present());
    }
    for (const auto& [name, property] : schema.root()["properties"].members()) {
      CAPTURE(name);
      CHECK(types.contains(property["type"].string_or("")));
    }
    const bool no_arguments = schema.root()["properties"].members().empty();
    CHECK(schema.root()["additionalProperties"].boolean() ==
          (no_arguments ? std::optional<bool>(false) : std::nullopt));
    const std::set<std::string> always{"wait_for_message", "inbox_peek", "reply"};
    CHECK(tool.meta == (always.contains(tool.name) ? R"({"anthropic/alwaysLoad":true})" : ""));
  }
}

TEST_CASE("every missing or wrong argument is named") {
  Fixture fixture;
  const std::vector<std::array<std::string, 3>> rows{
      {"delegate_task", R"({"task":"t"})", "workspace_id"},
      {"delegate_task", R"({"workspace_id":")" + peer + R"("})", "task"},
      {"delegate_task", R"({"workspace_id":")" + peer + R"(","task":7})", "task"},
      {"delegate_task_async", R"({"workspace_id":["x"],"task":"t"})", "workspace_id"},
      {"delegate_task_async", R"({"workspace_id":")" + peer + R"(","task":" "})", "task"},
      {"check_task_status", R"({"task_id":""})", "workspace_id"},
      {"check_task_status", R"({"workspace_id":"x"})", "task_id"},
      {"send_message_to_user", "{}", "message"},
      {"send_message_to_user", R"({"message":"m","attachments":"x"})", "attachments"},
      {"send_message_to_user", R"({"message":"m","attachments":[1]})", "attachments"},
      {"wait_for_message", R"({"timeout_secs":"soon"})", "timeout_secs"},
      {"inbox_peek", R"({"limit":"all"})", "limit"},
      {"inbox_pop", "{}", "activity_id"},
      {"commit_memory", R"({"scope":"LOCAL"})", "content"},
      {"commit_memory", R"({"content":"c","scope":"WORLD"})", "scope"},
      {"recall_memory", R"({"query":{}})", "query"},
      {"recall_memory", R"({"scope":"WORLD"})", "scope"},
  };
  for (const auto& [name, arguments, argument] : rows) {
    CAPTURE(name);
    CAPTURE(arguments);
    const mcp::ToolResult result = fixture.call(name, arguments);
    CHECK(result.is_error);
    CHECK(contains(result.text, "`" + argument + "`"));
  }
  CHECK(fixture.server.requests().empty());
}

TEST_CASE("instructions say how to wait, how to answer, and what not to trust") {
  Fixture fixture;
  fixture.config.poll_timeout = std::chrono::seconds(2);
  const std::string text = tools::make_instructions(fixture.config);
  for (const char* part : {"timeout_secs=2", "canvas_user", "peer_agent", "reply",
                           "delegation_result", "inbox_pop", "untrusted"}) {
    CAPTURE(part);
    CHECK(contains(text, part));
  }
  CHECK(text.size() < 700);
  fixture.config.poll_timeout = std::chrono::seconds(0);
  const std::string quiet = tools::make_instructions(fixture.config);
  CHECK(contains(quiet, "do not poll"));
  CHECK_FALSE(contains(quiet, "wait_for_message"));
  fixture.config.inbox = false;
  CHECK(contains(tools::make_instructions(fixture.config), "not enabled"));
}
