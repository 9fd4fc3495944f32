#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "server/api/context.hpp"

namespace molecule::server {

/// A row to be written to a workspace's activity (platform-api.md 0.11).
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
  /// What makes a repetition known, together with workspace, type and source: a message's id, a
  /// delegation's id.
  std::optional<std::string> message_id = std::nullopt;
  std::optional<std::string> idempotency_key = std::nullopt;
};

/// False where the row is there already (its message_id or idempotency_key); then nothing is
/// written. The workspace must exist.
bool insert_activity(Context& context, const Activity& activity);

/// Tells the WebSocket clients (2.10, ACTIVITY_LOGGED). Bodies over 64 KiB are left out: who wants
/// them reads the row.
void broadcast_activity(Context& context, const Activity& activity);

}  // namespace molecule::server
