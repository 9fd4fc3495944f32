#include "server/api/requests/request_changes.hpp"

#include <chrono>
#include <utility>
#include <vector>

#include "base/uuid.hpp"
#include "server/api/requests/request_news.hpp"

namespace molecule::server {

namespace {

constexpr std::int64_t max_open_requests = 200;
constexpr std::chrono::microseconds reminder_interval = std::chrono::hours(1);
/// Longer than any runtime waits for a decision.
constexpr std::chrono::microseconds prompt_lifetime = std::chrono::minutes(65);
/// A sweep reminds of so many; the next one goes on.
constexpr int reminders_at_a_time = 50;

using Event = RequestNews::Event;

bool fits(const RequestRow& row, std::string_view action) {
  if (action == "rejected") return true;
  return action == (row.kind == "task" ? "done" : "approved");
}

awaitable<void> announce(Context& context, RequestRow row, RequestNews news) {
  record_request_events(context, row, news);
  // The runtime that relays a prompt asks for the decision; the agent itself has nothing to do.
  if (row.prompt) co_return;
  co_await tell_agents(context, std::move(row), std::move(news));
}

awaitable<std::optional<RequestRow>> earlier_request(Context& context, const RequestRow& wanted) {
  if (!wanted.idempotency_key) co_return std::nullopt;
  // A closed request frees its key.
  co_await context.store.execute(
      "UPDATE requests SET idempotency_key = NULL WHERE requester_id = $1 AND idempotency_key = $2"
      " AND status NOT IN ('pending', 'info_requested')",
      wanted.requester.id, *wanted.idempotency_key);
  static const std::string sql = std::string(request_columns) +
                                 " FROM requests r WHERE r.requester_id = $1"
                                 " AND r.idempotency_key = $2";
  store::Rows row = co_await context.store.query(sql, wanted.requester.id, *wanted.idempotency_key);
  if (!row.next()) co_return std::nullopt;
  co_return read_request(row);
}

awaitable<std::int64_t> open_requests(Context& context, const Party& requester) {
  store::Rows row = co_await context.store.query(
      "SELECT count(*) FROM requests WHERE requester_type = $1 AND requester_id = $2"
      " AND status IN ('pending', 'info_requested')",
      requester.type, requester.id);
  row.next();
  co_return row.integer(0);
}

awaitable<void> insert_request(Context& context, const RequestRow& row) {
  co_await context.store.execute(
      "INSERT INTO requests (id, kind, requester_type, requester_id, recipient_type, recipient_id,"
      " title, detail, status, priority, prompt, idempotency_key, reminded_at, created_at,"
      " updated_at)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', $9, $10, $11, $12, $12, $12)",
      row.id, row.kind, row.requester.type, row.requester.id, row.recipient.type, row.recipient.id,
      row.title, row.detail, row.priority, row.prompt, row.idempotency_key, row.created_at);
}

}  // namespace

Reply no_request() {
  return error_reply(404, "request not found");
}

awaitable<Result<RequestRow, Reply>> create_request(Context& context, RequestRow wanted) {
  std::optional<RequestRow> earlier = co_await earlier_request(context, wanted);
  if (earlier) co_return *std::move(earlier);
  const std::int64_t open = co_await open_requests(context, wanted.requester);
  if (open >= max_open_requests) {
    const Failure refusal{
        error_reply(429, "too many open requests: cancel some, or wait until some are answered")};
    co_return refusal;
  }
  wanted.id = random_uuid();
  wanted.created_at = context.now_micros();
  wanted.updated_at = wanted.created_at;
  co_await insert_request(context, wanted);
  RequestNews news{.event = Event::created, .author = wanted.requester};
  co_await announce(context, wanted, std::move(news));
  co_return wanted;
}

awaitable<std::optional<Reply>> respond(Context& context, RequestRow row, Party actor,
                                        std::string action, std::string reason) {
  if (actor == row.requester) {
    co_return error_reply(400, "a request cannot be answered by its requester");
  }
  if (actor != row.recipient) co_return error_reply(403, "not the recipient");
  if (!fits(row, action)) {
    co_return error_reply(400, row.kind == "task" ? "action must be 'done' or 'rejected'"
                                                  : "action must be 'approved' or 'rejected'");
  }
  const std::int64_t now = context.now_micros();
  row.status = std::move(action);
  row.responder = actor;
  if (!reason.empty()) row.reason = std::move(reason);
  const std::int64_t changed = co_await context.store.execute(
      "UPDATE requests SET status = $2, responder_type = $3, responder_id = $4, reason = $5,"
      " updated_at = $6, responded_at = $6"
      " WHERE id = $1 AND status IN ('pending', 'info_requested')",
      row.id, row.status, actor.type, actor.id, row.reason, now);
  if (changed == 0) co_return no_request();
  RequestNews news{.event = Event::responded, .author = std::move(actor)};
  co_await announce(context, std::move(row), std::move(news));
  co_return std::nullopt;
}

awaitable<Result<std::string, Reply>> add_message(Context& context, RequestRow row, Party author,
                                                  std::string body) {
  const bool asks = author != row.requester;
  if (asks && author != row.recipient) {
    const Failure refusal{error_reply(403, "not a participant")};
    co_return refusal;
  }
  const std::int64_t now = context.now_micros();
  std::string id = random_uuid();
  co_await context.store.execute(
      "INSERT INTO request_messages (id, request_id, author_type, author_id, body, created_at)"
      " VALUES ($1, $2, $3, $4, $5, $6)",
      id, row.id, author.type, author.id, body, now);
  if (row.is_open()) row.status = asks ? "info_requested" : "pending";
  // Decided by another instance since it was read: that stays decided.
  co_await context.store.execute(
      "UPDATE requests SET updated_at = $3, status = CASE"
      " WHEN status IN ('pending', 'info_requested') THEN $2 ELSE status END WHERE id = $1",
      row.id, row.status, now);
  RequestNews news{.event = Event::message,
                   .author = std::move(author),
                   .message_id = id,
                   .body = std::move(body)};
  co_await announce(context, std::move(row), std::move(news));
  co_return id;
}

awaitable<std::optional<Reply>> cancel(Context& context, RequestRow row, Party actor) {
  if (actor != row.requester) co_return error_reply(403, "not the requester");
  const std::int64_t changed = co_await context.store.execute(
      "UPDATE requests SET status = 'cancelled', updated_at = $2"
      " WHERE id = $1 AND status IN ('pending', 'info_requested')",
      row.id, context.now_micros());
  if (changed == 0) co_return no_request();
  row.status = "cancelled";
  RequestNews news{.event = Event::cancelled, .author = std::move(actor)};
  co_await announce(context, std::move(row), std::move(news));
  co_return std::nullopt;
}

awaitable<void> expire_prompts(Context& context, std::int64_t now) {
  static const std::string sql =
      std::string(request_columns) +
      " FROM requests r WHERE r.prompt IS NOT NULL AND r.created_at <= $1"
      " AND r.status IN ('pending', 'info_requested') LIMIT $2";
  store::Rows row =
      co_await context.store.query(sql, now - prompt_lifetime.count(), reminders_at_a_time);
  std::vector<RequestRow> expired;
  while (row.next()) expired.push_back(read_request(row));
  for (const RequestRow& request : expired) {
    [[maybe_unused]] auto refusal = co_await cancel(context, request, request.requester);
  }
}

awaitable<void> remind_of_requests(Context& context, std::int64_t now) {
  static const std::string sql =
      std::string(request_columns) +
      " FROM requests r JOIN workspaces w ON w.id = r.recipient_id"
      " WHERE r.status = 'pending' AND r.recipient_type = 'agent' AND r.reminded_at <= $1"
      " AND w.status IN ('online', 'degraded') ORDER BY r.seq LIMIT $2";
  store::Rows row =
      co_await context.store.query(sql, now - reminder_interval.count(), reminders_at_a_time);
  std::vector<RequestRow> due;
  while (row.next()) due.push_back(read_request(row));
  for (const RequestRow& request : due) {
    co_await context.store.execute("UPDATE requests SET reminded_at = $2 WHERE id = $1", request.id,
                                   now);
    RequestNews news{.event = Event::reminder, .author = request.requester};
    co_await tell_agents(context, request, std::move(news));
  }
}

}  // namespace molecule::server
