#include "server/api/requests/request_rows.hpp"

#include <fmt/format.h>

#include "base/text/time.hpp"
#include "server/api/input.hpp"

namespace molecule::server {

namespace {

constexpr int max_messages = 200;
constexpr int max_pending = 200;

void write_time(json::Object& out, std::string_view name, std::optional<std::int64_t> micros) {
  if (micros) {
    out.field(name, format_rfc3339(from_micros(*micros)));
  } else {
    out.field(name, nullptr);
  }
}

void write_party(json::Object& out, std::string_view role, const std::optional<Party>& party) {
  std::optional<std::string> type;
  std::optional<std::string> id;
  if (party) {
    type = party->type;
    id = party->id;
  }
  out.nullable(fmt::format("{}_type", role), type);
  out.nullable(fmt::format("{}_id", role), id);
}

/// The members of a permission prompt, beside those of every request.
void write_prompt(json::Object& out, const std::optional<std::string>& prompt) {
  if (!prompt) return;
  json::Document document;
  const auto parsed = document.parse(*prompt);
  if (!parsed) return;
  out.field("source", "permission");
  for (const auto& [name, value] : parsed.value().members()) out.raw(name, value.dump());
}

}  // namespace

RequestRow read_request(const store::Row& row) {
  RequestRow read;
  read.id = row.string(0);
  read.kind = row.string(1);
  read.requester = {.type = row.string(2), .id = row.string(3)};
  read.recipient = {.type = row.string(4), .id = row.string(5)};
  read.title = row.string(6);
  read.detail = row.optional_string(7);
  read.status = row.string(8);
  read.priority = row.optional_integer(9);
  if (!row.is_null(10)) read.responder = Party{.type = row.string(10), .id = row.string(11)};
  read.reason = row.optional_string(12);
  read.prompt = row.optional_string(13);
  read.created_at = row.integer(14);
  read.updated_at = row.integer(15);
  read.responded_at = row.optional_integer(16);
  return read;
}

awaitable<std::optional<RequestRow>> find_request(Context& context, std::string_view id) {
  const std::optional<std::string> uuid = parse_uuid(id);
  if (!uuid) co_return std::nullopt;
  static const std::string sql = std::string(request_columns) + " FROM requests r WHERE r.id = $1";
  store::Rows row = co_await context.store.query(sql, *uuid);
  if (!row.next()) co_return std::nullopt;
  co_return read_request(row);
}

void write_request(json::Object& out, const RequestRow& row) {
  out.field("id", row.id);
  out.field("kind", row.kind);
  write_party(out, "requester", row.requester);
  write_party(out, "recipient", row.recipient);
  out.field("title", row.title);
  out.nullable("detail", row.detail);
  out.field("status", row.status);
  write_party(out, "responder", row.responder);
  out.nullable("priority", row.priority);
  write_time(out, "created_at", row.created_at);
  write_time(out, "updated_at", row.updated_at);
  write_time(out, "responded_at", row.responded_at);
  out.nullable("reason", row.reason);
  write_prompt(out, row.prompt);
}

awaitable<Reply> thread_reply(Context& context, RequestRow row) {
  // The newest that fit, in the order in which they were written.
  store::RowStream message = context.store.stream(
      "SELECT id, author_type, author_id, body, created_at FROM (SELECT * FROM request_messages"
      " WHERE request_id = $1 ORDER BY seq DESC LIMIT $2) AS newest ORDER BY seq",
      row.id, max_messages);
  json::Writer writer;
  {
    auto out = writer.object();
    {
      auto request = out.object("request");
      write_request(request, row);
    }
    auto list = out.array("messages");
    while (true) {
      const bool more = co_await message.next();
      if (!more) break;
      auto item = list.object();
      item.field("id", message.text(0));
      item.field("request_id", row.id);
      item.field("author_type", message.text(1));
      item.field("author_id", message.text(2));
      item.field("body", message.text(3));
      item.field("created_at", format_rfc3339(from_micros(message.integer(4))));
    }
  }
  co_return json_reply(200, std::move(writer).take());
}

void write_listed(json::Array& list, const store::Row& row) {
  auto item = list.object();
  write_request(item, read_request(row));
  item.nullable("workspace_id", row.optional_string(request_column_count));
  item.nullable("workspace_name", row.optional_string(request_column_count + 1));
}

awaitable<Reply> list_reply(store::RowStream row, WriteListed write) {
  json::Writer writer;
  {
    auto list = writer.array();
    while (writer.text().size() < max_page_bytes) {
      const bool more = co_await row.next();
      if (!more) break;
      write(list, row);
    }
  }
  co_return json_reply(200, std::move(writer).take());
}

awaitable<Reply> pending_reply(Context& context, Request request, std::string kind,
                               WriteListed write) {
  static const std::string waiting =
      " FROM requests q LEFT JOIN workspaces w ON w.id = q.requester_id"
      " WHERE q.recipient_type = 'user' AND q.status IN ('pending', 'info_requested')"
      " AND ($1 = '' OR q.kind = $1) AND coalesce(w.status, '') != 'removed'";
  // Each agent's newest first, then each one's second: however much one asks, it hides no other.
  static const std::string sql =
      std::string(request_columns) +
      ", r.workspace, r.workspace_name FROM (SELECT q.*, w.id AS workspace,"
      " w.name AS workspace_name,"
      " row_number() OVER (PARTITION BY q.requester_id ORDER BY q.seq DESC) AS place" +
      waiting + ") AS r ORDER BY r.place, r.seq DESC LIMIT $2 OFFSET $3";
  store::Rows count = co_await context.store.query("SELECT count(*)" + waiting, kind);
  count.next();
  const std::int64_t total = count.integer(0);
  const std::int64_t limit = list_number(request, "limit", 1, max_pending, max_pending);
  const std::int64_t offset = list_number(request, "offset", 0, INT32_MAX, 0);
  store::RowStream rows = context.store.stream(sql, kind, limit, offset);
  Reply reply = co_await list_reply(std::move(rows), write);
  reply.headers.emplace_back("X-Total-Count", std::to_string(total));
  co_return reply;
}

}  // namespace molecule::server
