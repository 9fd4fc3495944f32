#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "base/json/writer.hpp"
#include "base/text/time.hpp"
#include "server/api/input.hpp"
#include "server/page/page.hpp"

namespace molecule::server::page {

namespace {

constexpr std::size_t buckets = 12;
constexpr std::int64_t bucket_micros = std::int64_t{5} * 60 * 1'000'000;
constexpr std::int64_t hour_micros = static_cast<std::int64_t>(buckets) * bucket_micros;
/// Of the newest rows, so that a busy hour costs no more than this.
constexpr std::int64_t max_rows = 5000;

struct Pair {
  std::int64_t count = 0;
  std::int64_t last = 0;
};

/// The messages of the last hour.
struct Traffic {
  std::map<std::string, std::array<std::int64_t, buckets>> received;
  std::map<std::pair<std::string, std::string>, Pair> pairs;
};

awaitable<Traffic> read_traffic(Context& context) {
  const std::int64_t since = context.wall_micros() - hour_micros;
  store::Rows row = co_await context.store.query(
      "SELECT workspace_id, coalesce(source_id, ''), created_at FROM activity"
      " WHERE seq > (SELECT coalesce(max(seq), 0) FROM activity) - $1"
      " AND activity_type = 'a2a_receive' AND created_at > $2",
      max_rows, since);
  Traffic traffic;
  while (row.next()) {
    const std::string to = row.string(0);
    const std::string from = row.string(1);
    const std::int64_t at = row.integer(2);
    const auto bucket = static_cast<std::size_t>((at - since) / bucket_micros);
    ++traffic.received[to].at(std::min(bucket, buckets - 1));
    if (from.empty() || from == to) continue;
    Pair& pair = traffic.pairs[{from, to}];
    ++pair.count;
    pair.last = std::max(pair.last, at);
  }
  co_return traffic;
}

/// Messages that each agent has neither fetched nor acknowledged.
awaitable<std::map<std::string, std::int64_t>> read_unread(Context& context) {
  store::Rows row = co_await context.store.query(
      "SELECT w.id, count(*) FROM workspaces w JOIN activity a ON a.workspace_id = w.id"
      " AND a.activity_type = 'a2a_receive' AND a.seq > w.fetched_seq AND a.seq > w.last_acked_seq"
      " WHERE w.status != 'removed' AND coalesce(a.source_id, '') != w.id"
      " AND coalesce(a.method, '') NOT IN ('notify', 'chat_upload_receive') GROUP BY w.id");
  std::map<std::string, std::int64_t> unread;
  while (row.next()) unread[row.string(0)] = row.integer(1);
  co_return unread;
}

/// A time, or null for 0.
void write_time(json::Object& out, std::string_view name, std::int64_t micros) {
  if (micros == 0) {
    out.field(name, nullptr);
  } else {
    out.field(name, format_rfc3339(from_micros(micros)));
  }
}

void write_pairs(json::Object& out, const Traffic& traffic) {
  auto pairs = out.array("pairs");
  for (const auto& [ends, pair] : traffic.pairs) {
    auto item = pairs.object();
    item.field("from", ends.first);
    item.field("to", ends.second);
    item.field("count", pair.count);
    item.field("last_at", format_rfc3339(from_micros(pair.last)));
  }
}

/// Where molecule-mcp is: beside this program, else wherever the shell finds it.
std::string installed_molecule_mcp() {
  std::error_code failure;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", failure);
  const std::filesystem::path beside = self.parent_path() / "molecule-mcp";
  const bool there = !failure && ::access(beside.c_str(), X_OK) == 0;
  return there ? beside.string() : "molecule-mcp";
}

}  // namespace

awaitable<Reply> get_overview(Context& context, Request) {
  Traffic traffic = co_await read_traffic(context);
  std::map<std::string, std::int64_t> unread = co_await read_unread(context);
  store::Rows row = co_await context.store.query(
      "SELECT id, last_heartbeat_at, created_at, delivery_mode FROM workspaces"
      " WHERE status != 'removed'");
  json::Writer writer;
  {
    auto reply = writer.object();
    {
      auto agents = reply.array("agents");
      while (row.next()) {
        const std::string id = row.string(0);
        auto agent = agents.object();
        agent.field("id", id);
        const Presence& presence = context.services.presence;
        write_time(agent, "last_heartbeat_at", presence.last(id, {.at = row.integer(1)}).at);
        write_time(agent, "created_at", row.integer(2));
        agent.field("delivery_mode", row.text(3));
        agent.field("unread", unread[id]);
        auto received = agent.array("traffic");
        for (const std::int64_t count : traffic.received[id]) received.value(count);
      }
    }
    write_pairs(reply, traffic);
  }
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> get_files(Context& context, Request request) {
  const auto id = parse_uuid(request.parameter("agent").value_or(""));
  if (!id) co_return error_reply(400, "agent must be a UUID");
  store::Rows row = co_await context.store.query(
      "SELECT id, name, mime_type, size FROM pending_uploads WHERE workspace_id = $1"
      " AND acked_at IS NULL ORDER BY created_at DESC LIMIT 100",
      *id);
  json::Writer writer;
  {
    auto reply = writer.object();
    auto files = reply.array("files");
    while (row.next()) {
      auto file = files.object();
      file.field("uri", "platform-pending:" + *id + "/" + row.string(0));
      file.field("name", row.text(1));
      file.field("mimeType", row.text(2));
      file.field("size", row.integer(3));
    }
  }
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> get_install(Context&, Request) {
  json::Writer writer;
  {
    auto reply = writer.object();
    reply.field("molecule_mcp", installed_molecule_mcp());
  }
  co_return json_reply(200, std::move(writer).take());
}

}  // namespace molecule::server::page
