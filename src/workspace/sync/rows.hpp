#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json/reader.hpp"
#include "workspace/files/file_store.hpp"
#include "workspace/store/inbox.hpp"

namespace molecule::workspace {

/// What one row of `/activity` is to the inbox (molecule-mcp.md 5, platform-api.md 4.1).
struct Row {
  /// The row's id; empty where it is not UUID-shaped: the row is then neither a message nor a
  /// place for the cursor.
  std::string id;
  /// Its place among all rows; 0 where the platform does not number them.
  std::int64_t sequence = 0;
  /// As it came, empty where it is not a time.
  std::string created_at;
  /// Nothing for what the inbox passes over: own notify echoes, own reports and
  /// whatever is not a message.
  std::optional<Message> message;
  /// A file that waits for this workspace, instead of a message.
  std::optional<Upload> upload;
};

/// Reads one row of outside input, whatever its shape. `workspace_id` is the inbox's owner.
Row read_row(json::Value row, std::string_view workspace_id);

}  // namespace molecule::workspace
