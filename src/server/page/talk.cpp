#include <algorithm>
#include <charconv>
#include <cstdint>

#include "base/json/writer.hpp"
#include "base/text/time.hpp"
#include "server/api/input.hpp"
#include "server/page/page.hpp"

namespace molecule::server::page {

namespace {

constexpr std::int64_t max_limit = 500;
/// A page of one agent's talk among the rows of thousands of messages from people must not read
/// them all: it ends after so many rows, and the next one goes on there.
constexpr std::int64_t max_scanned = 20'000;

std::int64_t read_number(const Request& request, std::string_view name, std::int64_t otherwise) {
  const std::string_view text = request.parameter(name).value_or("");
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = failure == std::errc() && end == text.data() + text.size();
  return whole && number > 0 ? number : otherwise;
}

void write_row(json::Array& rows, const store::Row& row) {
  auto out = rows.object();
  out.field("seq", row.integer(0));
  out.field("id", row.text(1));
  out.field("workspace_id", row.text(2));
  out.field("source_id", row.text(3));
  out.nullable("target_id", row.optional_string(4));
  out.field("activity_type", row.text(5));
  out.nullable("summary", row.optional_string(6));
  out.field("status", row.text(7));
  out.nullable("message_id", row.optional_string(8));
  out.raw("request_body", row.is_null(9) ? "null" : row.text(9));
  out.field("created_at", format_rfc3339(from_micros(row.integer(10))));
}

}  // namespace

awaitable<Reply> get_talk(Context& context, Request request) {
  const std::string_view wanted = request.parameter("agent").value_or("");
  const auto agent = parse_uuid(wanted);
  if (!wanted.empty() && !agent) co_return error_reply(400, "agent must be a UUID");
  const std::int64_t limit = std::min(read_number(request, "limit", 100), max_limit);
  store::Rows newest =
      co_await context.store.query("SELECT coalesce(max(seq), 0) + 1 FROM activity");
  const std::int64_t end = newest.next() ? newest.integer(0) : 1;
  const std::int64_t before = std::min(read_number(request, "before_seq", end), end);
  const std::int64_t from = before - max_scanned;
  store::RowStream row = context.store.stream(
      "SELECT seq, id, workspace_id, source_id, target_id, activity_type, summary, status,"
      " message_id, request_body, created_at FROM activity"
      " WHERE seq < $1 AND seq >= $2 AND source_id IS NOT NULL"
      " AND ((activity_type = 'a2a_receive' AND source_id != workspace_id)"
      " OR (activity_type = 'delegation' AND method = 'delegate'))"
      " AND ($3 = '' OR workspace_id = $3 OR source_id = $3 OR coalesce(target_id, '') = $3)"
      " ORDER BY seq DESC LIMIT $4",
      before, from, agent.value_or(""), limit);
  json::Writer writer;
  {
    auto reply = writer.object();
    std::int64_t count = 0;
    std::int64_t oldest = before;
    {
      auto rows = reply.array("rows");
      while (writer.text().size() < max_page_bytes) {
        const bool more = co_await row.next();
        if (!more) break;
        write_row(rows, row);
        oldest = row.integer(0);
        ++count;
      }
    }
    const bool full = count >= limit || writer.text().size() >= max_page_bytes;
    const std::int64_t next = full ? oldest : from;
    reply.field("next_before", next > 1 ? next : std::int64_t{0});
  }
  co_return json_reply(200, std::move(writer).take());
}

}  // namespace molecule::server::page
