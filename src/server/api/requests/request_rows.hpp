#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/async/asio.hpp"
#include "base/json/writer.hpp"
#include "server/api/context.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

/// One side of a request (page.md 3.1): a workspace's agent, or the person, whose id is "".
struct Party {
  static Party user() { return {.type = "user"}; }
  static Party agent(std::string_view id) { return {.type = "agent", .id = std::string(id)}; }
  bool is_agent() const { return type == "agent"; }
  bool operator==(const Party&) const = default;

  std::string type;
  std::string id = {};
};

/// One row of `requests`.
struct RequestRow {
  std::string id;
  std::string kind;
  Party requester;
  Party recipient;
  std::string title;
  std::optional<std::string> detail = std::nullopt;
  std::string status = "pending";
  std::optional<std::int64_t> priority = std::nullopt;
  std::optional<Party> responder = std::nullopt;
  std::optional<std::string> reason = std::nullopt;
  /// A permission prompt's JSON object (page.md 3.6).
  std::optional<std::string> prompt = std::nullopt;
  std::optional<std::string> idempotency_key = std::nullopt;
  std::int64_t created_at = 0;
  std::int64_t updated_at = 0;
  std::optional<std::int64_t> responded_at = std::nullopt;

  /// It may still be answered or cancelled.
  bool is_open() const { return status == "pending" || status == "info_requested"; }
};

/// The columns that `read_request` reads, from `requests r`.
inline constexpr const char* request_columns =
    "SELECT r.id, r.kind, r.requester_type, r.requester_id, r.recipient_type, r.recipient_id,"
    " r.title, r.detail, r.status, r.priority, r.responder_type, r.responder_id, r.reason,"
    " r.prompt, r.created_at, r.updated_at, r.responded_at";
inline constexpr int request_column_count = 17;

RequestRow read_request(const store::Row& row);

/// Empty for an unknown or malformed id.
awaitable<std::optional<RequestRow>> find_request(Context& context, std::string_view id);

/// Writes a request's fields into `out`.
void write_request(json::Object& out, const RequestRow& row);

/// `{"request", "messages"}`: with its thread, oldest first.
awaitable<Reply> thread_reply(Context& context, RequestRow row);

/// Writes one row of a list into its array. The columns that follow those of `request_columns` are
/// the requester's workspace and its name.
using WriteListed = void (*)(json::Array& list, const store::Row& row);
/// As `write_request` has it, with `workspace_id` and `workspace_name`.
void write_listed(json::Array& list, const store::Row& row);

/// A list of requests. It ends early where it becomes too long.
awaitable<Reply> list_reply(store::RowStream row, WriteListed write);

/// A page of what waits for the person (page.md 3.3), with the number of all in X-Total-Count;
/// `kind` may be empty.
awaitable<Reply> pending_reply(Context& context, Request request, std::string kind,
                               WriteListed write);

}  // namespace molecule::server
