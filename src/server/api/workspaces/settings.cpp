// A workspace's configuration, and what this platform has nothing of: the hosted one's page asks
// for all of these and shows an empty list where it would otherwise show an error.

#include <optional>
#include <set>
#include <string>

#include "base/json/writer.hpp"
#include "base/text/time.hpp"
#include "server/api/input.hpp"

namespace molecule::server {

namespace {

constexpr std::size_t max_config_bytes = std::size_t{256} << 10;

/// `changed` over `kept`, member by member at the top level.
std::string merged(json::Value kept, json::Value changed) {
  json::Writer writer;
  {
    auto out = writer.object();
    std::set<std::string_view> seen;
    for (const auto& [name, value] : changed.members()) {
      if (seen.insert(name).second) out.raw(name, value.dump());
    }
    for (const auto& [name, value] : kept.members()) {
      if (seen.insert(name).second) out.raw(name, value.dump());
    }
  }
  return std::move(writer).take();
}

awaitable<std::string> config_of(Context& context, std::string_view id) {
  store::Rows row = co_await context.store.query("SELECT config FROM workspaces WHERE id = $1", id);
  co_return row.next() ? row.string(0) : std::string("{}");
}

}  // namespace

awaitable<Reply> get_config(Context& context, Request request) {
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  const std::string config = co_await config_of(context, workspace->id);
  json::Writer writer;
  writer.object().raw("data", config);
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> patch_config(Context& context, Request request) {
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  json::Document sent;
  const auto parsed = sent.parse(request.body);
  if (!parsed || !parsed.value().is_object()) co_return error_reply(400, "invalid JSON");
  json::Document kept;
  const std::string text = co_await config_of(context, workspace->id);
  const auto had = kept.parse(text);
  const std::string config = merged(had ? had.value() : json::Value(), parsed.value());
  if (nesting(config) > max_nesting) {
    co_return error_reply(400, "invalid JSON: nested too deeply");
  }
  if (config.size() > max_config_bytes) {
    co_return error_reply(413, "the configuration is too large (256 KiB)");
  }
  co_await context.store.execute("UPDATE workspaces SET config = $2, updated_at = $3 WHERE id = $1",
                                 workspace->id, config, context.now_micros());
  co_return json_reply(200, R"({"status":"updated"})");
}

/// This platform stores no secrets (platform-api.md 9.4).
awaitable<Reply> get_secret_values(Context&, Request) {
  co_return json_reply(200, "{}");
}

awaitable<Reply> get_metrics(Context& context, Request request) {
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  const std::string now = format_rfc3339(from_micros(context.wall_micros()));
  json::Writer writer;
  {
    auto reply = writer.object();
    for (const char* name : {"input_tokens", "output_tokens", "total_calls"}) reply.field(name, 0);
    reply.field("estimated_cost_usd", "0.000000");
    reply.field("period_start", now.substr(0, 10) + "T00:00:00Z");
    reply.field("period_end", now);
  }
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> empty_list(Context& context, Request request) {
  const auto workspace = co_await existing_workspace(context, request);
  if (!workspace) co_return workspace.error();
  co_return json_reply(200, "[]");
}

awaitable<Reply> empty_catalogue(Context&, Request) {
  co_return json_reply(200, "[]");
}

}  // namespace molecule::server
