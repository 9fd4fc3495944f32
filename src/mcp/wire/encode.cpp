#include "mcp/wire/encode.hpp"

#include <algorithm>
#include <stdexcept>

#include "base/json/writer.hpp"
#include "mcp/offers/catalog.hpp"
#include "mcp/wire/message.hpp"

namespace molecule::mcp::encode {

namespace {

/// Never declares `listChanged`: the lists are fixed.
void write_capabilities(json::Object& result, const ServerInfo& server, Revision revision) {
  auto capabilities = result.object("capabilities");
  if (has_tools(server)) capabilities.raw("tools", "{}");
  if (has_resources(server)) {
    capabilities.raw("resources", server.resource_updates ? R"({"subscribe":true})" : "{}");
  }
  if (has_prompts(server)) capabilities.raw("prompts", "{}");
  if (has_completions(server) && has_completions_capability(revision)) {
    capabilities.raw("completions", "{}");
  }
  if (has_logging(server)) capabilities.raw("logging", "{}");
  if (!server.experimental.empty()) capabilities.raw("experimental", server.experimental);
}

void write_server(json::Object& parent, std::string_view key, const ServerInfo& server,
                  Revision revision) {
  auto info = parent.object(key);
  info.field("name", server.name);
  if (has_titles(revision) && !server.title.empty()) info.field("title", server.title);
  info.field("version", server.version);
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

Error resource_not_found(std::string_view uri, Revision revision) {
  json::Writer data;
  {
    auto members = data.object();
    members.field("uri", uri);
  }
  return {.code = is_stateless(revision) ? code::invalid_params : code::resource_not_found,
          .message = "Resource not found",
          .data = std::move(data).take()};
}

std::string request(std::int64_t id, std::string_view method, std::string_view params) {
  json::Writer writer;
  {
    auto message = writer.object();
    message.field("jsonrpc", "2.0");
    message.field("id", id);
    message.field("method", method);
    message.raw("params", params);
  }
  return std::move(writer).take();
}

std::string initialize_result(const ServerInfo& server, Revision revision) {
  json::Writer writer;
  {
    auto result = writer.object();
    result.field("protocolVersion", name_of(revision));
    write_capabilities(result, server, revision);
    write_server(result, "serverInfo", server, revision);
    if (!server.instructions.empty()) result.field("instructions", server.instructions);
  }
  return std::move(writer).take();
}

std::string discover_result(const ServerInfo& server) {
  json::Writer writer;
  {
    auto result = writer.object();
    {
      auto versions = result.array("supportedVersions");
      versions.value(stateless_version);
    }
    write_capabilities(result, server, Revision::r2026_07_28);
    if (!server.instructions.empty()) result.field("instructions", server.instructions);
  }
  return std::move(writer).take();
}

std::string server_meta(const ServerInfo& server) {
  json::Writer writer;
  {
    auto meta = writer.object();
    write_server(meta, "io.modelcontextprotocol/serverInfo", server, Revision::r2026_07_28);
  }
  return R"("_meta":)" + std::move(writer).take();
}

void add_members(std::string& object, std::string_view members) {
  object.pop_back();
  if (object.size() > 1) object += ',';
  object += members;
  object += '}';
}

std::string cache_members(const Cache& cache) {
  return R"("ttlMs":)" + std::to_string(std::max<std::int64_t>(0, cache.ttl_ms)) +
         R"(,"cacheScope":")" + (cache.is_public ? R"(public")" : R"(private")");
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

std::string log_message(LogLevel level, std::string_view logger, std::string_view text) {
  json::Writer writer;
  {
    auto params = writer.object();
    params.field("level", log_level_names.at(static_cast<std::size_t>(level)));
    if (!logger.empty()) params.field("logger", logger);
    params.field("data", text);
  }
  return notification("notifications/message", writer.text());
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
