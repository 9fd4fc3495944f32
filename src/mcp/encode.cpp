#include "mcp/encode.hpp"

#include <stdexcept>

#include "molecule/base/json_writer.hpp"

namespace molecule::mcp::encode {

namespace {

void write_annotations(json::Object& tool, const Annotations& annotations) {
  auto hints = tool.object("annotations");
  const auto hint = [&hints](std::string_view name, std::optional<bool> value) {
    if (value) hints.field(name, *value);
  };
  hint("readOnlyHint", annotations.read_only);
  hint("destructiveHint", annotations.destructive);
  hint("idempotentHint", annotations.idempotent);
  hint("openWorldHint", annotations.open_world);
}

void write_tool(json::Array& list, const Tool& tool, Revision revision) {
  auto entry = list.object();
  entry.field("name", tool.name);
  if (has_titles(revision) && !tool.title.empty()) entry.field("title", tool.title);
  entry.field("description", tool.description);
  entry.raw("inputSchema", tool.input_schema);
  if (has_structured_content(revision) && !tool.output_schema.empty()) {
    entry.raw("outputSchema", tool.output_schema);
  }
  if (has_annotations(revision)) write_annotations(entry, tool.annotations);
  if (has_tool_meta(revision) && !tool.meta.empty()) entry.raw("_meta", tool.meta);
}

}  // namespace

void append_result(std::string& out, std::string_view id, std::string_view result) {
  out += R"({"jsonrpc":"2.0","id":)";
  out += id;
  out += R"(,"result":)";
  out += result;
  out += '}';
}

void append_error(std::string& out, std::string_view id, const Error& error) {
  json::Writer writer(std::move(out));
  {
    auto answer = writer.object();
    answer.field("jsonrpc", "2.0");
    answer.raw("id", id);
    auto body = answer.object("error");
    body.field("code", error.code);
    body.field("message", error.message);
    if (!error.data.empty()) body.raw("data", error.data);
  }
  out = std::move(writer).take();
}

std::string initialize_result(const ServerInfo& server, Revision revision) {
  json::Writer writer;
  {
    auto result = writer.object();
    result.field("protocolVersion", name_of(revision));
    {
      auto capabilities = result.object("capabilities");
      // The list is static: no listChanged.
      capabilities.raw("tools", "{}");
      if (!server.experimental.empty()) capabilities.raw("experimental", server.experimental);
    }
    {
      auto info = result.object("serverInfo");
      info.field("name", server.name);
      if (has_titles(revision) && !server.title.empty()) info.field("title", server.title);
      info.field("version", server.version);
    }
    if (!server.instructions.empty()) result.field("instructions", server.instructions);
  }
  return std::move(writer).take();
}

std::string tool_list(const ServerInfo& server, Revision revision) {
  json::Writer writer;
  {
    auto result = writer.object();
    auto list = result.array("tools");
    for (const Tool& tool : server.tools) write_tool(list, tool, revision);
  }
  return std::move(writer).take();
}

std::string tool_result(const Tool& tool, const ToolResult& result, Revision revision) {
  json::Writer writer;
  {
    auto answer = writer.object();
    {
      auto content = answer.array("content");
      auto block = content.object();
      block.field("type", "text");
      block.field("text", result.text);
    }
    // An error need not conform to the tool's schema, so it has no structured form.
    if (has_structured_content(revision) && !tool.output_schema.empty() && !result.is_error) {
      answer.raw("structuredContent", one_line_object(result.text, "a result"));
    }
    answer.field("isError", result.is_error);
  }
  return std::move(writer).take();
}

std::string notification(std::string_view method, std::string_view params) {
  json::Writer writer;
  {
    auto message = writer.object();
    message.field("jsonrpc", "2.0");
    message.field("method", method);
    message.raw("params", params);
  }
  return std::move(writer).take();
}

std::string progress(std::string_view token, const Progress& progress, Revision revision) {
  json::Writer writer;
  {
    auto params = writer.object();
    params.raw("progressToken", token);
    params.field("progress", progress.progress);
    if (progress.total) params.field("total", *progress.total);
    if (has_progress_message(revision) && !progress.message.empty()) {
      params.field("message", progress.message);
    }
  }
  return std::move(writer).take();
}

std::string one_line_object(std::string_view json, std::string_view what) {
  json::Document document;
  const auto parsed = document.parse(json);
  if (!parsed.ok() || !parsed->is_object()) {
    throw std::invalid_argument(std::string(what) + " is not a JSON object");
  }
  return parsed->dump();
}

}  // namespace molecule::mcp::encode
