#include <optional>
#include <string>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "server/access/access.hpp"
#include "server/access/tokens.hpp"
#include "server/api/input.hpp"
#include "server/api/registry/status.hpp"
#include "server/api/workspaces/budget.hpp"
#include "server/api/workspaces/push_url.hpp"
#include "server/api/workspaces/workspace_rows.hpp"

namespace molecule::server {

namespace {

/// Every list of peers repeats the cards.
constexpr std::size_t max_card_bytes = std::size_t{256} << 10;

Reply invalid_body() {
  return error_reply(400, "invalid request body");
}

/// The text to store for a card; empty if the card must be refused.
std::optional<std::string> card_text(json::Value card) {
  std::optional<std::string> text = storable_json(card);
  if (text && text->size() > max_card_bytes) return std::nullopt;
  return text;
}

struct Registration {
  std::string id;
  std::string card;
  std::string url;
  std::string delivery_mode;
};

awaitable<void> insert_workspace(Context& context, const Registration& registration) {
  const std::int64_t now = context.now_micros();
  co_await context.store.execute(
      "INSERT INTO workspaces (id, name, status, agent_card, url, delivery_mode,"
      " last_heartbeat_at, created_at, updated_at)"
      " VALUES ($1, $1, 'online', $2, nullif($3, ''), $4, $5, $5, $5)",
      registration.id, registration.card, registration.url, registration.delivery_mode, now);
}

awaitable<void> update_workspace(Context& context, const Registration& registration) {
  co_await context.store.execute(
      "UPDATE workspaces SET agent_card = $2, delivery_mode = $4,"
      " status = CASE WHEN status IN ('paused', 'hibernated') THEN status ELSE 'online' END,"
      " url = CASE WHEN substr(url, 1, 16) = 'http://127.0.0.1' THEN url ELSE nullif($3, '') END,"
      " last_heartbeat_at = $5, updated_at = $5 WHERE id = $1 AND status != 'removed'",
      registration.id, registration.card, registration.url, registration.delivery_mode,
      context.now_micros());
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

struct Heartbeat {
  std::string workspace_id;
  double error_rate = 0;
  std::string sample_error;
  std::int64_t active_tasks = 0;
  std::int64_t uptime_seconds = 0;
  std::string current_task;
  std::int64_t monthly_spend = 0;
  std::string runtime_state;
  /// Later clients send it with each heartbeat.
  std::optional<std::string> card;
  bool manages_own_status = false;
  /// JSON; empty if the runtime does not say.
  std::optional<std::string> loaded_mcp_tools;
  std::optional<bool> mcp_server_present;
};

/// The names of a runtime's tools, or nothing for another type. Every list of workspaces repeats
/// them, so there are not more than 200.
std::optional<std::string> tool_names(json::Value list) {
  constexpr std::size_t max_tools = 200;
  constexpr std::size_t max_name_bytes = 100;
  if (!list.is_array()) return std::nullopt;
  json::Writer writer;
  {
    auto names = writer.array();
    std::size_t count = 0;
    for (const json::Value item : list.items()) {
      if (!item.is_string() || count++ >= max_tools) continue;
      names.value(text::prefix_bytes(item.string_or(""), max_name_bytes));
    }
  }
  return std::move(writer).take();
}

/// Reads `runtime_metadata`, of which this platform uses one capability. False for wrong types.
bool read_metadata(json::Value metadata, Heartbeat& heartbeat) {
  if (!metadata.present()) return true;
  Body fields(metadata);
  static_cast<void>(fields.integer("idle_timeout_seconds"));
  const json::Value capabilities = fields.any("capabilities");
  if (!fields.ok() || (capabilities.present() && !capabilities.is_object())) return false;
  for (const auto& [name, value] : capabilities.members()) {
    if (!value.boolean() && !value.is_null()) return false;
  }
  heartbeat.manages_own_status = capabilities["status_mgmt"].boolean().value_or(false);
  return true;
}

/// Every list of workspaces repeats these texts, so they are kept short.
std::string shortened(std::string_view text) {
  constexpr std::size_t max_bytes = 4096;
  return std::string(text::prefix_bytes(text, max_bytes));
}

/// Empty for a body that must be refused.
std::optional<Heartbeat> read_heartbeat(const Request& request) {
  Body body(request.body);
  Heartbeat heartbeat;
  heartbeat.workspace_id = body.text("workspace_id");
  heartbeat.error_rate = body.number("error_rate").value_or(0);
  heartbeat.sample_error = shortened(body.text("sample_error"));
  heartbeat.active_tasks = body.integer("active_tasks").value_or(0);
  heartbeat.uptime_seconds = body.integer("uptime_seconds").value_or(0);
  heartbeat.current_task = shortened(body.text("current_task"));
  heartbeat.monthly_spend = body.integer("monthly_spend").value_or(0);
  heartbeat.runtime_state = body.text("runtime_state");
  heartbeat.loaded_mcp_tools = tool_names(body.any("loaded_mcp_tools"));
  heartbeat.mcp_server_present = body.any("mcp_server_present").boolean();
  if (body.any("agent_card").is_object()) heartbeat.card = card_text(body.any("agent_card"));
  const std::optional<std::string> id = parse_uuid(heartbeat.workspace_id);
  if (!body.ok() || !id || !read_metadata(body.any("runtime_metadata"), heartbeat))
    return std::nullopt;
  heartbeat.workspace_id = *id;
  return heartbeat;
}

constexpr std::int64_t max_spend = 1'000'000'000'000;

awaitable<void> write_heartbeat(Context& context, const Heartbeat& heartbeat) {
  co_await context.store.execute(
      "UPDATE workspaces SET last_error_rate = $2, last_sample_error = $3, active_tasks = $4,"
      " uptime_seconds = $5, current_task = $6, last_heartbeat_at = $7,"
      " monthly_spend = CASE WHEN $8 > 0 THEN $8 ELSE monthly_spend END,"
      " loaded_mcp_tools = coalesce($9, loaded_mcp_tools),"
      " mcp_server_present = CASE WHEN $10 THEN $11 ELSE mcp_server_present END"
      " WHERE id = $1",
      heartbeat.workspace_id, heartbeat.error_rate, heartbeat.sample_error, heartbeat.active_tasks,
      heartbeat.uptime_seconds, heartbeat.current_task, context.now_micros(),
      std::min(heartbeat.monthly_spend, max_spend), heartbeat.loaded_mcp_tools,
      heartbeat.mcp_server_present.has_value(), heartbeat.mcp_server_present);
}

/// What a heartbeat may change, as it is in the store.
struct Known {
  std::string status;
  std::string current_task;
  std::int64_t monthly_spend = 0;
  std::int64_t generation = 0;
  std::optional<std::string> secret;
  /// The store has all that the heartbeat says.
  bool same = false;
};

awaitable<std::optional<Known>> find_known(Context& context, const Heartbeat& heartbeat) {
  store::Rows row = co_await context.store.query(
      "SELECT status, current_task, monthly_spend, generation, platform_inbound_secret,"
      " last_error_rate = $2 AND last_sample_error = $3 AND active_tasks = $4"
      " AND current_task = $5 AND ($6 <= 0 OR monthly_spend = $6)"
      " AND ($7 IS NULL OR loaded_mcp_tools = $7) AND (NOT $8 OR mcp_server_present = $9)"
      " AND ($10 IS NULL OR agent_card IS NOT DISTINCT FROM $10)"
      " FROM workspaces WHERE id = $1 AND status != 'removed'",
      heartbeat.workspace_id, heartbeat.error_rate, heartbeat.sample_error, heartbeat.active_tasks,
      heartbeat.current_task, std::min(heartbeat.monthly_spend, max_spend),
      heartbeat.loaded_mcp_tools, heartbeat.mcp_server_present.has_value(),
      heartbeat.mcp_server_present, heartbeat.card);
  if (!row.next()) co_return std::nullopt;
  Known known{.status = row.string(0),
              .current_task = row.string(1),
              .monthly_spend = row.integer(2),
              .generation = row.integer(3),
              .secret = row.optional_string(4),
              .same = row.boolean(5)};
  co_return known;
}

std::optional<Transition> transition_of(const Heartbeat& heartbeat, const Known& before) {
  return after_heartbeat(before.status, {.error_rate = heartbeat.error_rate,
                                         .runtime_state = heartbeat.runtime_state,
                                         .manages_own_status = heartbeat.manages_own_status});
}

awaitable<void> change_status(Context& context, const Heartbeat& heartbeat, const Known& before,
                              Transition transition) {
  // Another instance may have removed or paused it since it was read.
  const std::int64_t changed = co_await context.store.execute(
      "UPDATE workspaces SET status = $2, updated_at = $3 WHERE id = $1 AND status = $4",
      heartbeat.workspace_id, transition.status, context.now_micros(), before.status);
  if (changed == 0) co_return;
  json::Writer writer;
  {
    auto payload = writer.object();
    switch (transition.cause) {
      case Cause::wedged:
        payload.field("runtime_state", heartbeat.runtime_state);
        payload.field("sample_error", heartbeat.sample_error);
        break;
      case Cause::error_rate:
        payload.field("error_rate", heartbeat.error_rate);
        payload.field("sample_error", heartbeat.sample_error);
        break;
      case Cause::first_heartbeat:
        payload.field("recovered_from", before.status);
        break;
      case Cause::recovered:
      case Cause::returned:
        break;
    }
  }
  const bool online = transition.status == "online";
  context.events.record(online ? "WORKSPACE_ONLINE" : "WORKSPACE_DEGRADED", heartbeat.workspace_id,
                        std::move(writer).take());
}

void announce_heartbeat(Context& context, const Heartbeat& heartbeat, const Known& before) {
  if (!context.events.has_listeners()) return;
  if (heartbeat.current_task != before.current_task) {
    json::Writer writer;
    {
      auto payload = writer.object();
      payload.field("current_task", heartbeat.current_task);
      payload.field("active_tasks", heartbeat.active_tasks);
    }
    context.events.broadcast("TASK_UPDATED", heartbeat.workspace_id, std::move(writer).take());
  }
  json::Writer writer;
  {
    auto payload = writer.object();
    payload.field("active_tasks", heartbeat.active_tasks);
    payload.field("uptime_seconds", heartbeat.uptime_seconds);
  }
  context.events.signal("WORKSPACE_HEARTBEAT", heartbeat.workspace_id, std::move(writer).take());
}

/// Stores a card, and tells of it if it is another one.
awaitable<void> renew_card(Context& context, std::string_view id, std::string_view card) {
  const std::int64_t changed = co_await context.store.execute(
      "UPDATE workspaces SET agent_card = $2 WHERE id = $1 AND agent_card IS DISTINCT FROM $2", id,
      card);
  if (changed == 0) co_return;
  json::Writer payload;
  payload.object().raw("agent_card", card);
  context.events.record("AGENT_CARD_UPDATED", id, std::move(payload).take());
}

/// Writes what a heartbeat changes, at once.
awaitable<void> apply_heartbeat(Context& context, const Heartbeat& heartbeat, const Known& before) {
  co_await write_heartbeat(context, heartbeat);
  co_await record_spend(context, heartbeat.workspace_id, before.monthly_spend,
                        std::min(heartbeat.monthly_spend, max_spend));
  const auto transition = transition_of(heartbeat, before);
  if (transition) co_await change_status(context, heartbeat, before, *transition);
  if (heartbeat.card) co_await renew_card(context, heartbeat.workspace_id, *heartbeat.card);
}

}  // namespace

awaitable<Reply> register_workspace(Context& context, Request request) {
  Body body(request.body);
  Registration wanted;
  wanted.id = body.text("id");
  wanted.url = body.text("url");
  wanted.delivery_mode = body.text("delivery_mode");
  if (!body.ok() || wanted.id.empty() || !body.has("agent_card")) co_return invalid_body();
  if (!wanted.delivery_mode.empty() && wanted.delivery_mode != "push" &&
      wanted.delivery_mode != "poll") {
    co_return error_reply(400, "delivery_mode must be 'push' or 'poll'");
  }
  const std::optional<std::string> id = parse_uuid(wanted.id);
  std::optional<std::string> card = card_text(body.any("agent_card"));
  if (!id || !card) co_return invalid_body();
  wanted.id = *id;
  wanted.card = *std::move(card);

  context.store.lock(wanted.id);
  const std::optional<WorkspaceRow> row = co_await find_workspace(context, wanted.id);
  auto refusal = co_await claim_registration(context, request, wanted.id, row.has_value());
  if (refusal) co_return *std::move(refusal);
  if (row && row->status == "removed") co_return error_reply(410, "workspace removed");
  if (wanted.delivery_mode.empty()) wanted.delivery_mode = row ? row->delivery_mode : "push";
  if (wanted.delivery_mode == "push") {
    if (auto problem = push_url_problem(wanted.url)) co_return error_reply(400, *problem);
  }
  if (row) {
    co_await renew_card(context, wanted.id, wanted.card);
    co_await update_workspace(context, wanted);
  } else {
    co_await insert_workspace(context, wanted);
  }
  const bool rests = row && (row->status == "paused" || row->status == "hibernated");
  if (!rests) context.events.record("WORKSPACE_ONLINE", wanted.id, online_payload(wanted));

  std::string token;
  const bool has_token = co_await has_live_token(context.store, wanted.id);
  if (!has_token) token = co_await mint_token(context, wanted.id);
  const std::optional<std::string> secret = co_await inbound_secret(context, wanted.id);
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("status", "registered");
    reply.field("delivery_mode", wanted.delivery_mode);
    if (!has_token) reply.field("auth_token", token);
    if (secret) reply.field("platform_inbound_secret", *secret);
  }
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> post_heartbeat(Context& context, Request request) {
  const std::optional<Heartbeat> sent = read_heartbeat(request);
  if (!sent) co_return invalid_body();
  auto refusal = co_await claim_workspace(context, request, sent->workspace_id);
  if (refusal) co_return *std::move(refusal);
  std::optional<Known> known = co_await find_known(context, *sent);
  if (known && known->same && known->secret && !transition_of(*sent, *known)) {
    context.services.presence.heard(
        sent->workspace_id, {.at = context.now_micros(), .uptime_seconds = sent->uptime_seconds});
  } else if (known) {
    co_await context.begin_writing();
    known = co_await find_known(context, *sent);
    if (known) co_await apply_heartbeat(context, *sent, *known);
  }
  // Removed since its token was found valid.
  if (!known) co_return error_reply(401, "invalid workspace auth token");
  announce_heartbeat(context, *sent, *known);
  std::optional<std::string> secret = known->secret;
  if (!secret) secret = co_await inbound_secret(context, sent->workspace_id);
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("status", "ok");
    reply.field("generation", known->generation);
    if (secret) reply.field("platform_inbound_secret", *secret);
  }
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> update_card(Context& context, Request request) {
  Body body(request.body);
  const std::optional<std::string> id = parse_uuid(body.text("workspace_id"));
  const std::optional<std::string> card = card_text(body.any("agent_card"));
  if (!body.ok() || !id || !card || !body.has("agent_card")) co_return invalid_body();
  auto refusal = co_await claim_workspace(context, request, *id);
  if (refusal) co_return *std::move(refusal);
  co_await context.store.execute(
      "UPDATE workspaces SET agent_card = $2, updated_at = $3 WHERE id = $1", *id, *card,
      context.now_micros());
  json::Writer payload;
  payload.object().raw("agent_card", *card);
  context.events.record("AGENT_CARD_UPDATED", *id, std::move(payload).take());
  co_return json_reply(200, R"({"status":"updated"})");
}

}  // namespace molecule::server
