#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json/reader.hpp"
#include "workspace/store/file_store.hpp"
#include "workspace/store/inbox/message.hpp"

namespace molecule::workspace {

/// What one row of `/activity` means to the inbox (molecule-mcp.md 5, platform-api.md 4.1).
struct Row {
  /// The row's id; empty if it is not UUID-shaped: the row is then neither a message nor a position
  /// for the cursor.
  std::string id;
  /// Its position among all rows; 0 if the platform does not number them.
  std::int64_t sequence = 0;
  /// As received; empty if it is not a time.
  std::string created_at;
  /// Empty for rows that the inbox skips: own notify echoes, own reports and anything else that is
  /// not a message.
  std::optional<Message> message;
  /// A file that waits for this workspace, instead of a message.
  std::optional<Upload> upload;
};

/// What the row says, sanitised, whoever wrote it.
std::string row_text(json::Value row);

/// Reads one row of outside input, whatever its shape. `workspace_id` is the inbox's owner.
Row read_row(json::Value row, std::string_view workspace_id);

}  // namespace molecule::workspace
