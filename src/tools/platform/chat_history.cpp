#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json/sanitized.hpp"
#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "base/text/time.hpp"
#include "molecule/mcp/arguments.hpp"
#include "tools/errors.hpp"
#include "tools/peers/choose.hpp"
#include "tools/peers/find_peer.hpp"
#include "tools/results/limits.hpp"
#include "tools/tool_registry.hpp"
#include "workspace/sync/rows.hpp"

namespace molecule::tools {

namespace {

constexpr int max_rows = 500;
/// All entries, and one of them.
constexpr std::size_t max_history_bytes = 36'000;
constexpr std::size_t max_row_bytes = 8'000;
/// A string within an entry whose texts are many.
constexpr std::size_t max_short_bytes = 300;

/// What is asked for.
struct Wanted {
  int limit = 20;
  std::string before;
  /// The only message, from `offset` on in its text; empty: all.
  std::string id;
  std::size_t offset = 0;
};

/// An RFC 3339 time; anything else is refused before any I/O.
std::string read_time(mcp::Arguments& arguments) {
  const std::string time(text::trim(arguments.string_or("before_ts", "")));
  if (!time.empty() && !parse_rfc3339(time)) {
    arguments.reject("before_ts", "must be an RFC 3339 time, like a message's created_at");
  }
  return time;
}

std::string_view time_of(json::Value entry) {
  return entry["timestamp"].string_or(entry["created_at"].string_or(""));
}

/// What an entry says: the user's chat has it as `content`, a row in its body.
std::string text_of(json::Value entry) {
  if (const auto content = entry["content"].string()) return text::sanitize(*content);
  return workspace::row_text(entry);
}

/// What is left of an entry that cannot be shown otherwise.
std::string outline(json::Value entry) {
  const std::string text = text_of(entry);
  json::Writer writer;
  {
    auto o = writer.object();
    for (const char* name : {"id", "role", "method", "source_id", "target_id"}) {
      const std::string value = text::sanitize_name(entry[name].string_or(""));
      if (!value.empty()) o.field(name, value);
    }
    o.field("created_at", text::sanitize_name(time_of(entry)));
    write_slice(o, "text", text, slice(text, 0, max_entry_bytes));
  }
  return std::move(writer).take();
}

/// An entry as JSON; `cut` becomes true if not all of it.
std::string shown_entry(json::Value entry, bool& cut) {
  std::string whole = json::dump_sanitized(entry);
  if (whole.size() <= max_row_bytes) return whole;
  cut = true;
  for (const std::size_t max : {max_entry_bytes, max_short_bytes}) {
    std::string shorter = json::dump_sanitized(entry, max);
    if (shorter.size() <= max_row_bytes) return shorter;
  }
  return outline(entry);
}

/// Entries, oldest first: the newest of them that fit, and what to ask for the others.
struct History {
  std::vector<std::string> entries;
  std::size_t older = 0;
  std::string note;
};

History newest_that_fit(const std::vector<json::Value>& all) {
  History history;
  std::size_t bytes = 0;
  bool cut = false;
  std::size_t first = all.size();
  while (first > 0) {
    std::string entry = shown_entry(all[first - 1], cut);
    bytes += entry.size();
    if (!history.entries.empty() && bytes > max_history_bytes) break;
    history.entries.insert(history.entries.begin(), std::move(entry));
    --first;
  }
  history.older = first;
  if (first > 0) {
    history.note = fmt::format("{} older ones are left out: ask with before_ts={}. ", first,
                               text::sanitize_name(time_of(all[first])));
  }
  if (cut) history.note += "Texts are cut: ask with one's id for all of it.";
  return history;
}

void write(json::Object& result, const History& history) {
  {
    auto list = result.array("messages");
    for (const std::string& entry : history.entries) list.raw(entry);
  }
  if (history.older > 0) result.field("more", history.older);
  if (!history.note.empty()) result.field("note", text::trim(history.note));
}

/// The text of the only message that is wanted.
mcp::ToolResult one_text(const std::vector<json::Value>& all, const Wanted& wanted) {
  for (const json::Value entry : all) {
    if (!text::equal_ignoring_case(entry["id"].string_or(""), wanted.id)) continue;
    const std::string text = text_of(entry);
    json::Writer writer;
    {
      auto o = writer.object();
      o.field("id", wanted.id);
      o.field("created_at", text::sanitize_name(time_of(entry)));
      write_slice(o, "text", text, slice(text, wanted.offset, max_history_bytes));
    }
    return {.text = std::move(writer).take()};
  }
  return {
      .text = fmt::format("No message {} is among the {} looked at: ask with the before_ts with "
                          "which you saw it.",
                          text::sanitize_name(wanted.id), all.size()),
      .is_error = true};
}

mcp::ToolResult not_known(const platform::Error& error) {
  return failure("The chat's history is not known", About::own_workspace, error);
}

/// The chat with the user.
awaitable<mcp::ToolResult> with_user(workspace::Workspace& workspace, Wanted wanted) {
  auto history = co_await workspace.client.chat_history(wanted.limit, wanted.before);
  mcp::ToolResult result;
  if (!history) {
    result = not_known(history.error());
    co_return result;
  }
  json::Document document;
  const auto root = document.parse(*history);
  const std::vector<json::Value> all =
      root.ok() ? (*root)["messages"].items() : std::vector<json::Value>();
  if (!wanted.id.empty()) {
    result = one_text(all, wanted);
    co_return result;
  }
  json::Writer writer;
  {
    auto o = writer.object();
    write(o, newest_that_fit(all));
    if (const auto end = document.root()["reached_end"].boolean()) o.field("reached_end", *end);
  }
  result.text = std::move(writer).take();
  co_return result;
}

/// The rows that a peer and this workspace exchanged, oldest first.
std::vector<json::Value> between(const platform::ActivityPage& page, std::string_view peer) {
  std::vector<json::Value> rows;
  for (auto row = page.rows.rbegin(); row != page.rows.rend(); ++row) {
    // Platforms before May 2026 ignore the filter.
    const bool with_peer = text::equal_ignoring_case((*row)["source_id"].string_or(""), peer) ||
                           text::equal_ignoring_case((*row)["target_id"].string_or(""), peer);
    if (with_peer) rows.push_back(*row);
  }
  return rows;
}

awaitable<mcp::ToolResult> with_peer(workspace::Workspace& workspace, std::string peer,
                                     Wanted wanted) {
  platform::ActivityQuery query;
  query.type.clear();
  query.peer_id = peer;
  query.limit = wanted.limit;
  if (!wanted.before.empty()) query.before_ts = wanted.before;
  auto page = co_await workspace.client.activity(std::move(query));
  mcp::ToolResult result;
  if (!page) {
    result = not_known(page.error());
  } else if (!wanted.id.empty()) {
    result = one_text(between(*page, peer), wanted);
  } else {
    json::Writer writer;
    {
      auto o = writer.object();
      o.field("peer_id", peer);
      write(o, newest_that_fit(between(*page, peer)));
    }
    result.text = std::move(writer).take();
  }
  co_return result;
}

awaitable<mcp::ToolResult> chat_history(Services& services, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  const std::string named(text::trim(arguments.string_or("peer_id", "")));
  Wanted wanted;
  wanted.id = text::trim(arguments.string_or("id", ""));
  wanted.offset = static_cast<std::size_t>(arguments.integer("offset", 0, 0, INT32_MAX));
  wanted.limit = static_cast<int>(
      arguments.integer("limit", wanted.id.empty() ? wanted.limit : max_rows, 1, max_rows));
  wanted.before = read_time(arguments);
  const workspace::Workspace* source = source_workspace(services, arguments);
  if (auto wrong = arguments.rejection()) co_return std::move(*wrong);
  PeerChoice peer;
  if (!named.empty()) {
    peer = co_await find_peer(services, named, source);
    if (peer.failure) co_return std::move(*peer.failure);
    if (!peer.problem.empty()) arguments.reject("peer_id", peer.problem);
  }
  workspace::Workspace& workspace = choose_workspace(services, arguments, peer.id);
  if (auto wrong = rejection(services, arguments, workspace)) co_return std::move(*wrong);
  if (peer.id.empty()) co_return co_await with_user(workspace, std::move(wanted));
  co_return co_await with_peer(workspace, std::move(peer.id), std::move(wanted));
}

}  // namespace

void add_chat_history_tools(ToolRegistry& tools) {
  tools.add({.name = "chat_history",
             .description = "Earlier messages with the user, or a peer (peer_id).",
             .input_schema = R"({"type":"object","properties":{"peer_id":{"type":"string"},)"
                             R"("limit":{"type":"integer"},"before_ts":{"type":"string"},)"
                             R"("id":{"type":"string"},"offset":{"type":"integer"}}})",
             .hints = read_only,
             .choice = source_argument},
            chat_history);
}

}  // namespace molecule::tools
