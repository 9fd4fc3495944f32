#include <optional>
#include <string>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "server/access/auth.hpp"
#include "server/api/input.hpp"
#include "server/api/registry/status.hpp"
#include "server/api/routes.hpp"
#include "server/api/workspaces/push_url.hpp"
#include "server/api/workspaces/workspace_rows.hpp"

namespace molecule::server {

namespace {

/// Cards travel in every list of peers.
constexpr std::size_t largest_card = std::size_t{256} << 10;

Reply invalid_body() {
  return error_reply(400, "invalid request body");
}

/// The text to store for a card; nothing for one that must be refused.
std::optional<std::string> card_text(json::Value card) {
  std::optional<std::string> text = storable_json(card);
  if (text && text->size() > largest_card) return std::nullopt;
  return text;
}

struct Registration {
  std::string id;
  std::string card;
  std::string url;
  std::string delivery_mode;
};

/// 401 without the workspace's own token. Only the platform's owner may bring in a workspace that
/// has none: an unknown id, or one whose tokens were all revoked (section 9: fail closed).
std::optional<Reply> may_register(Context& context, const Request& request, const std::string& id,
                                  const std::optional<WorkspaceRow>& row) {
  if (row && has_live_token(context, id)) return registry_gate(context, request, id);
  if (!admin_auth(context, request)) return std::nullopt;
  return request.bearer() ? error_reply(401, "invalid workspace auth token")
                          : error_reply(401, "missing workspace auth token");
}

void insert_workspace(Context& context, const Registration& registration) {
  const std::int64_t now = now_micros(context);
  auto insert = context.database.prepare(
      "INSERT INTO workspaces (id, name, status, agent_card, url, delivery_mode,"
      " last_heartbeat_at, created_at, updated_at)"
      " VALUES (?1, ?1, 'online', ?2, nullif(?3, ''), ?4, ?5, ?5, ?5)");
  insert.bind(registration.id, registration.card, registration.url, registration.delivery_mode, now)
      .run();
}

void update_workspace(Context& context, const Registration& registration) {
  auto update = context.database.prepare(
      "UPDATE workspaces SET agent_card = ?2, status = 'online', delivery_mode = ?4,"
      " url = CASE WHEN url LIKE 'http://127.0.0.1%' THEN url ELSE nullif(?3, '') END,"
      " last_heartbeat_at = ?5, updated_at = ?5 WHERE id = ?1");
  update
      .bind(registration.id, registration.card, registration.url, registration.delivery_mode,
            now_micros(context))
      .run();
}

std::string online_payload(const Registration& registration) {
  json::Writer writer;
  {
    auto payload = writer.object();
    payload.field("url", registration.url);
    payload.raw("agent_card", registration.card);
    payload.field("delivery_mode", registration.delivery_mode);
  }
  return std::move(writer).take();
}

Reply register_workspace(Context& context, const Request& request) {
  Body body(request.body);
  Registration wanted;
  wanted.id = body.text("id");
  wanted.url = body.text("url");
  wanted.delivery_mode = body.text("delivery_mode");
  if (!body.ok() || wanted.id.empty() || !body.has("agent_card")) return invalid_body();
  if (!wanted.delivery_mode.empty() && wanted.delivery_mode != "push" &&
      wanted.delivery_mode != "poll") {
    return error_reply(400, "delivery_mode must be 'push' or 'poll'");
  }
  const std::optional<std::string> id = parse_uuid(wanted.id);
  std::optional<std::string> card = card_text(body.any("agent_card"));
  if (!id || !card) return invalid_body();
  wanted.id = *id;
  wanted.card = *std::move(card);

  const std::optional<WorkspaceRow> row = find_workspace(context, wanted.id);
  if (auto refusal = may_register(context, request, wanted.id, row)) return *std::move(refusal);
  if (row && row->status == "removed") return error_reply(410, "workspace removed");
  if (wanted.delivery_mode.empty()) wanted.delivery_mode = row ? row->delivery_mode : "push";
  if (wanted.delivery_mode == "push") {
    if (auto problem = push_url_problem(wanted.url)) return error_reply(400, *problem);
  }
  row ? update_workspace(context, wanted) : insert_workspace(context, wanted);
  context.events.record("WORKSPACE_ONLINE", wanted.id, online_payload(wanted));

  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("status", "registered");
    reply.field("delivery_mode", wanted.delivery_mode);
    if (!has_live_token(context, wanted.id)) {
      reply.field("auth_token", mint_token(context, wanted.id));
    }
    const std::optional<std::string> secret = inbound_secret(context, wanted.id);
    if (secret) reply.field("platform_inbound_secret", *secret);
  }
  return json_reply(200, std::move(writer).take());
}

struct Heartbeat {
  std::string workspace_id;
  double error_rate = 0;
  std::string sample_error;
  std::int64_t active_tasks = 0;
  std::int64_t uptime_seconds = 0;
  std::string current_task;
  std::int64_t monthly_spend = 0;
  std::string runtime_state;
  bool manages_own_status = false;
};

/// `runtime_metadata`, of which this platform needs one capability; false for wrong types.
bool read_metadata(json::Value metadata, Heartbeat& beat) {
  if (!metadata.present()) return true;
  Body fields(metadata);
  static_cast<void>(fields.integer("idle_timeout_seconds"));
  const json::Value capabilities = fields.any("capabilities");
  if (!fields.ok() || (capabilities.present() && !capabilities.is_object())) return false;
  for (const auto& [name, value] : capabilities.members()) {
    if (!value.boolean() && !value.is_null()) return false;
  }
  beat.manages_own_status = capabilities["status_mgmt"].boolean().value_or(false);
  return true;
}

/// What every list of workspaces repeats is kept short.
std::string shortened(std::string_view text) {
  constexpr std::size_t most_bytes = 4096;
  return std::string(text::prefix_bytes(text, most_bytes));
}

/// The beat, or nothing for a body that must be refused.
std::optional<Heartbeat> read_heartbeat(const Request& request) {
  Body body(request.body);
  Heartbeat beat;
  beat.workspace_id = body.text("workspace_id");
  beat.error_rate = body.number("error_rate").value_or(0);
  beat.sample_error = shortened(body.text("sample_error"));
  beat.active_tasks = body.integer("active_tasks").value_or(0);
  beat.uptime_seconds = body.integer("uptime_seconds").value_or(0);
  beat.current_task = shortened(body.text("current_task"));
  beat.monthly_spend = body.integer("monthly_spend").value_or(0);
  beat.runtime_state = body.text("runtime_state");
  const std::optional<std::string> id = parse_uuid(beat.workspace_id);
  if (!body.ok() || !id || !read_metadata(body.any("runtime_metadata"), beat)) return std::nullopt;
  beat.workspace_id = *id;
  return beat;
}

void write_heartbeat(Context& context, const Heartbeat& beat) {
  constexpr std::int64_t most_spend = 1'000'000'000'000;
  auto update = context.database.prepare(
      "UPDATE workspaces SET last_error_rate = ?2, last_sample_error = ?3, active_tasks = ?4,"
      " uptime_seconds = ?5, current_task = ?6, last_heartbeat_at = ?7,"
      " monthly_spend = CASE WHEN ?8 > 0 THEN min(?8, ?9) ELSE monthly_spend END"
      " WHERE id = ?1");
  update
      .bind(beat.workspace_id, beat.error_rate, beat.sample_error, beat.active_tasks,
            beat.uptime_seconds, beat.current_task, now_micros(context), beat.monthly_spend,
            most_spend)
      .run();
}

void change_status(Context& context, const Heartbeat& beat, const WorkspaceRow& before) {
  const auto transition =
      after_heartbeat(before.status, {.error_rate = beat.error_rate,
                                      .runtime_state = beat.runtime_state,
                                      .manages_own_status = beat.manages_own_status});
  if (!transition) return;
  auto update =
      context.database.prepare("UPDATE workspaces SET status = ?2, updated_at = ?3 WHERE id = ?1");
  update.bind(beat.workspace_id, transition->status, now_micros(context)).run();
  json::Writer writer;
  {
    auto payload = writer.object();
    switch (transition->cause) {
      case Cause::wedged:
        payload.field("runtime_state", beat.runtime_state);
        payload.field("sample_error", beat.sample_error);
        break;
      case Cause::error_rate:
        payload.field("error_rate", beat.error_rate);
        payload.field("sample_error", beat.sample_error);
        break;
      case Cause::first_beat:
        payload.field("recovered_from", before.status);
        break;
      case Cause::recovered:
      case Cause::returned:
        break;
    }
  }
  const bool online = transition->status == "online";
  context.events.record(online ? "WORKSPACE_ONLINE" : "WORKSPACE_DEGRADED", beat.workspace_id,
                        std::move(writer).take());
}

void announce_beat(Context& context, const Heartbeat& beat, const WorkspaceRow& before) {
  if (beat.current_task != before.current_task) {
    json::Writer writer;
    {
      auto payload = writer.object();
      payload.field("current_task", beat.current_task);
      payload.field("active_tasks", beat.active_tasks);
    }
    context.events.broadcast("TASK_UPDATED", beat.workspace_id, std::move(writer).take());
  }
  json::Writer writer;
  {
    auto payload = writer.object();
    payload.field("active_tasks", beat.active_tasks);
    payload.field("uptime_seconds", beat.uptime_seconds);
  }
  context.events.broadcast("WORKSPACE_HEARTBEAT", beat.workspace_id, std::move(writer).take());
}

Reply heartbeat(Context& context, const Request& request) {
  const std::optional<Heartbeat> beat = read_heartbeat(request);
  if (!beat) return invalid_body();
  if (auto refusal = registry_gate(context, request, beat->workspace_id)) {
    return *std::move(refusal);
  }
  const std::optional<WorkspaceRow> before = find_workspace(context, beat->workspace_id);
  write_heartbeat(context, *beat);
  change_status(context, *beat, before.value());
  announce_beat(context, *beat, before.value());
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("status", "ok");
    const std::optional<std::string> secret = inbound_secret(context, beat->workspace_id);
    if (secret) reply.field("platform_inbound_secret", *secret);
  }
  return json_reply(200, std::move(writer).take());
}

Reply update_card(Context& context, const Request& request) {
  Body body(request.body);
  const std::optional<std::string> id = parse_uuid(body.text("workspace_id"));
  const std::optional<std::string> card = card_text(body.any("agent_card"));
  if (!body.ok() || !id || !card || !body.has("agent_card")) return invalid_body();
  if (auto refusal = registry_gate(context, request, *id)) return *std::move(refusal);
  auto update = context.database.prepare(
      "UPDATE workspaces SET agent_card = ?2, updated_at = ?3 WHERE id = ?1");
  update.bind(*id, *card, now_micros(context)).run();
  json::Writer payload;
  payload.object().raw("agent_card", *card);
  context.events.record("AGENT_CARD_UPDATED", *id, std::move(payload).take());
  return json_reply(200, R"({"status":"updated"})");
}

}  // namespace

std::vector<Route> registry_routes() {
  return {{"POST", "/registry/register", register_workspace},
          {"POST", "/registry/heartbeat", heartbeat},
          {"POST", "/registry/update-card", update_card}};
}

}  // namespace molecule::server
