#include <chrono>

#include "fixture.hpp"

namespace molecule::conformance {

namespace {

using mcp::Call;
using mcp::ToolResult;

constexpr std::chrono::milliseconds pause{50};

awaitable<ToolResult> simple_text() {
  ToolResult result{.text = "This is a simple text response for testing."};
  co_return result;
}

awaitable<ToolResult> image() {
  ToolResult result;
  result.content.emplace_back(mcp::ImageContent{.data = png(), .mime_type = "image/png"});
  co_return result;
}

awaitable<ToolResult> audio() {
  ToolResult result;
  result.content.emplace_back(mcp::AudioContent{.data = wav(), .mime_type = "audio/wav"});
  co_return result;
}

mcp::EmbeddedResource embedded(std::string uri, std::string mime_type, std::string text) {
  return {.resource = {
              .uri = std::move(uri), .mime_type = std::move(mime_type), .data = std::move(text)}};
}

awaitable<ToolResult> embedded_resource() {
  ToolResult result;
  result.content.emplace_back(
      embedded("test://embedded-resource", "text/plain", "This is an embedded resource content."));
  co_return result;
}

awaitable<ToolResult> multiple_content() {
  ToolResult result{.text = "Multiple content types test:"};
  result.content.emplace_back(mcp::ImageContent{.data = png(), .mime_type = "image/png"});
  result.content.emplace_back(embedded("test://mixed-content-resource", "application/json",
                                       R"({"test":"data","value":123})"));
  co_return result;
}

awaitable<ToolResult> logging(Call& call, Clock& clock) {
  call.log(mcp::LogLevel::info, "fixture", "Tool execution started");
  co_await sleep_for(clock, pause);
  call.log(mcp::LogLevel::info, "fixture", "Tool processing data");
  co_await sleep_for(clock, pause);
  call.log(mcp::LogLevel::info, "fixture", "Tool execution completed");
  ToolResult result{.text = "Tool with logging executed"};
  co_return result;
}

awaitable<ToolResult> progress(Call& call, Clock& clock) {
  call.progress(0, 100, "");
  co_await sleep_for(clock, pause);
  call.progress(50, 100, "");
  co_await sleep_for(clock, pause);
  call.progress(100, 100, "");
  ToolResult result{.text = "Tool with progress executed"};
  co_return result;
}

awaitable<ToolResult> error_handling() {
  ToolResult result{.text = "This tool intentionally returns an error for testing",
                    .is_error = true};
  co_return result;
}

/// What JSON Schema 2020-12 adds must reach the host as it is.
constexpr std::string_view schema_2020 = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
  "$defs": {"address": {"$anchor": "addressDef", "type": "object",
    "properties": {"street": {"type": "string"}, "city": {"type": "string"}}}},
  "properties": {"name": {"type": "string"}, "address": {"$ref": "#/$defs/address"},
    "contactMethod": {"type": "string", "enum": ["phone", "email"]},
    "phone": {"type": "string"}, "email": {"type": "string"}},
  "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
  "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
  "then": {"required": ["phone"]}, "else": {"required": ["email"]},
  "additionalProperties": false})";

}  // namespace

void add_content_tools(mcp::ServerInfo& server, Clock& clock) {
  auto& tools = server.tools;
  const auto log = [&clock](Call& call) { return logging(call, clock); };
  tools.push_back(
      make_tool("test_simple_text", "Gives text.", [](Call&) { return simple_text(); }));
  tools.push_back(make_tool("test_image_content", "Gives a pixel.", [](Call&) { return image(); }));
  tools.push_back(make_tool("test_audio_content", "Gives a sound.", [](Call&) { return audio(); }));
  tools.push_back(make_tool("test_embedded_resource", "Gives an embedded resource.",
                            [](Call&) { return embedded_resource(); }));
  tools.push_back(make_tool("test_multiple_content_types", "Gives several kinds of content.",
                            [](Call&) { return multiple_content(); }));
  tools.push_back(make_tool("test_tool_with_logging", "Logs while it works.", log));
  tools.push_back(make_tool("test_logging_tool", "Logs while it works.", log));
  tools.push_back(make_tool("test_tool_with_progress", "Tells how far it is.",
                            [&clock](Call& call) { return progress(call, clock); }));
  tools.push_back(
      make_tool("test_error_handling", "Always fails.", [](Call&) { return error_handling(); }));
  tools.push_back(make_tool(
      "json_schema_2020_12_tool", "Tool with JSON Schema 2020-12 features",
      [](Call&) { return simple_text(); }, std::string(schema_2020)));
}

}  // namespace molecule::conformance
