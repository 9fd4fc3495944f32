#include "server/api/limits/quotas.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json/writer.hpp"

namespace molecule::server {

namespace {

/// What is over the limit may come back as a request to wait: the agent reads its inbox.
Reply wait_reply(std::string_view error, std::string_view code) {
  constexpr int seconds = 60;
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("error", error);
    out.field("code", code);
    out.field("retry_after", seconds);
  }
  Reply reply = json_reply(429, std::move(writer).take());
  reply.headers.emplace_back("Retry-After", std::to_string(seconds));
  return reply;
}

std::optional<Reply> full(Context& context, std::string_view kind, std::string_view workspace_id,
                          std::string text) {
  context.services.refusals.count(kind, workspace_id);
  return error_reply(413, text);
}

/// How full a workspace's activity is.
struct Inbox {
  std::int64_t used_bytes = 0;
  /// The highest row that the workspace has acknowledged or fetched.
  std::int64_t handled = 0;
  /// What one sender has waiting in it.
  std::int64_t sender_messages = 0;
  std::int64_t sender_bytes = 0;
};

/// `sender`: empty for none.
awaitable<Inbox> read_inbox(Context& context, std::string_view workspace_id,
                            const std::optional<std::string>& sender) {
  const auto known = context.services.fetched.find(workspace_id);
  const std::int64_t fetched = known == context.services.fetched.end() ? 0 : known->second;
  store::Rows row = co_await context.store.query(
      "SELECT h.message_bytes, h.handled, count(a.seq), CAST(coalesce(sum(a.bytes), 0) AS BIGINT)"
      " FROM (SELECT w.id, u.message_bytes,"
      " CASE WHEN w.last_acked_seq > $3 THEN w.last_acked_seq ELSE $3 END AS handled"
      " FROM workspaces w JOIN workspace_usage u ON u.workspace_id = w.id WHERE w.id = $1) h"
      " LEFT JOIN activity a ON a.workspace_id = h.id AND a.source_id = $2 AND a.seq > h.handled"
      " GROUP BY h.message_bytes, h.handled",
      workspace_id, sender, fetched);
  Inbox inbox;
  if (row.next()) {
    inbox = {.used_bytes = row.integer(0),
             .handled = row.integer(1),
             .sender_messages = row.integer(2),
             .sender_bytes = row.integer(3)};
  }
  co_return inbox;
}

/// True if a sender has its share of an inbox waiting already.
bool fills_inbox(const Limits& limits, const Inbox& inbox, std::int64_t bytes) {
  // One message always fits, however large.
  return inbox.sender_messages >= limits.sender_messages ||
         (inbox.sender_messages > 0 && inbox.sender_bytes + bytes > limits.sender_bytes);
}

/// Removes the oldest rows that the workspace has handled or made itself, a bounded number of them,
/// without the person's chat and without delegations, which may be open.
awaitable<void> make_room(Context& context, std::string_view workspace_id, std::int64_t handled) {
  constexpr int rows = 200;
  co_await context.store.execute(
      "DELETE FROM activity WHERE seq IN (SELECT seq FROM activity WHERE workspace_id = $1"
      " AND source_id IS NOT NULL AND activity_type != 'delegation' AND (seq <= $2 OR source_id = "
      "$1) ORDER BY seq LIMIT $3)",
      workspace_id, handled, rows);
}

/// What is to come into a workspace's inbox.
struct Arrival {
  Context& context;
  std::string_view workspace_id;
  const std::optional<std::string>& sender;
  std::int64_t bytes;
  /// Null for what cannot be a repeat.
  const Activity* message = nullptr;
};

awaitable<bool> is_repeat(const Arrival& arrival) {
  if (arrival.message == nullptr) co_return false;
  co_return co_await is_repeated(arrival.context, *arrival.message);
}

awaitable<std::optional<Reply>> refuse(Arrival arrival) {
  Context& context = arrival.context;
  const std::int64_t limit = context.services.limits.message_bytes;
  std::optional<std::string> peer;
  if (arrival.sender != arrival.workspace_id) peer = arrival.sender;
  Inbox inbox = co_await read_inbox(context, arrival.workspace_id, peer);
  const bool crowded = peer && fills_inbox(context.services.limits, inbox, arrival.bytes);
  if (!crowded && inbox.used_bytes + arrival.bytes <= limit) co_return std::nullopt;
  // Asked before room is made, as the first one may be among what is removed.
  const bool repeat = co_await is_repeat(arrival);
  if (repeat) co_return std::nullopt;
  if (crowded) {
    context.services.refusals.count("sender", *peer);
    co_return wait_reply("too many of your messages wait for this workspace: it has to read them",
                         "inbox_share_used");
  }
  co_await make_room(context, arrival.workspace_id, inbox.handled);
  inbox = co_await read_inbox(context, arrival.workspace_id, peer);
  if (!arrival.sender || inbox.used_bytes + arrival.bytes <= limit) co_return std::nullopt;
  context.services.refusals.count("messages", arrival.workspace_id);
  co_return wait_reply(fmt::format("the workspace's messages fill its share ({})", in_units(limit)),
                       "inbox_full");
}

}  // namespace

std::string in_units(std::int64_t bytes) {
  constexpr std::int64_t mebi = std::int64_t{1} << 20;
  if (bytes >= mebi) return fmt::format("{} MiB", bytes / mebi);
  if (bytes >= 1024) return fmt::format("{} KiB", bytes / 1024);
  return fmt::format("{} bytes", bytes);
}

awaitable<std::optional<Reply>> refuse_row(Context& context, std::string_view workspace_id,
                                           const std::optional<std::string>& sender,
                                           std::size_t bytes) {
  return refuse({.context = context,
                 .workspace_id = workspace_id,
                 .sender = sender,
                 .bytes = static_cast<std::int64_t>(bytes)});
}

awaitable<std::optional<Reply>> refuse_message(Context& context, const Activity& row,
                                               const std::optional<std::string>& sender) {
  return refuse({.context = context,
                 .workspace_id = row.workspace_id,
                 .sender = sender,
                 .bytes = static_cast<std::int64_t>(row_bytes(row)),
                 .message = &row});
}

awaitable<std::optional<Reply>> refuse_memory(Context& context, std::string_view workspace_id,
                                              std::size_t bytes) {
  const std::int64_t limit = context.services.limits.memory_bytes;
  store::Rows row = co_await context.store.query(
      "SELECT memory_bytes FROM workspace_usage WHERE workspace_id = $1", workspace_id);
  const std::int64_t used = row.next() ? row.integer(0) : 0;
  if (used + static_cast<std::int64_t>(bytes) <= limit) co_return std::nullopt;
  co_return full(
      context, "memories", workspace_id,
      fmt::format("the workspace's memories are full ({}): delete some first", in_units(limit)));
}

awaitable<std::optional<Reply>> refuse_files(Context& context, std::string_view workspace_id,
                                             std::int64_t count, std::int64_t bytes) {
  const Limits& limits = context.services.limits;
  store::Rows row = co_await context.store.query(
      "SELECT files, file_bytes FROM workspace_usage WHERE workspace_id = $1", workspace_id);
  const bool known = row.next();
  const std::int64_t files = known ? row.integer(0) : 0;
  const std::int64_t used = known ? row.integer(1) : 0;
  if (files + count <= limits.files && used + bytes <= limits.file_bytes) co_return std::nullopt;
  co_return full(context, "files", workspace_id,
                 fmt::format("too many files are already waiting for this workspace (at most {} of"
                             " together {})",
                             limits.files, in_units(limits.file_bytes)));
}

awaitable<std::optional<Reply>> refuse_keys(Context& context, std::string_view workspace_id,
                                            std::int64_t bytes) {
  const std::int64_t limit = context.services.limits.key_value_bytes;
  store::Rows row = co_await context.store.query(
      "SELECT key_bytes FROM workspace_usage WHERE workspace_id = $1", workspace_id);
  const std::int64_t used = row.next() ? row.integer(0) : 0;
  if (used + bytes <= limit) co_return std::nullopt;
  co_return full(
      context, "keys", workspace_id,
      fmt::format("the workspace's memory is full ({}): delete keys first", in_units(limit)));
}

}  // namespace molecule::server
