#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/async/asio.hpp"
#include "server/api/context.hpp"

namespace molecule::server {

/// A row to write to a workspace's activity (platform-api.md 0.11).
struct Activity {
  std::string workspace_id;
  std::string type;
  std::optional<std::string> source_id = std::nullopt;
  std::optional<std::string> target_id = std::nullopt;
  std::optional<std::string> method = std::nullopt;
  std::optional<std::string> summary = std::nullopt;
  /// JSON text.
  std::optional<std::string> request_body = std::nullopt;
  std::optional<std::string> response_body = std::nullopt;
  std::optional<std::int64_t> duration_ms = std::nullopt;
  std::string status = "ok";
  std::optional<std::string> error_detail = std::nullopt;
  /// The id of a message or a delegation. With workspace, type and source it identifies a
  /// repetition.
  std::optional<std::string> message_id = std::nullopt;
  std::optional<std::string> idempotency_key = std::nullopt;
};

/// Returns 1; or 0, without writing, if there is already a row with that message_id or
/// idempotency_key. The workspace must exist.
awaitable<std::int64_t> insert_activity(Context& context, const Activity& activity);

/// True if there is already a row with that message_id: the message was sent again.
awaitable<bool> is_repeated(Context& context, const Activity& activity);

/// What a row counts for in its workspace's share (`Limits::message_bytes`).
std::size_t row_bytes(const Activity& activity);

/// The payload of ACTIVITY_LOGGED (platform-api.md 2.10). Bodies over 64 KiB are left out: a client
/// that wants them reads the row.
std::string activity_payload(const Activity& activity);

/// Sends ACTIVITY_LOGGED to the WebSocket clients.
void broadcast_activity(Context& context, const Activity& activity);

}  // namespace molecule::server
