#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mcp/revision.hpp"
#include "molecule/mcp/session.hpp"

// Everything the server sends, as JSON on one line. Only fields that the revision knows are sent.
namespace molecule::mcp::encode {

struct Error {
  int code = 0;
  std::string message;
  /// JSON, or empty.
  std::string data = {};
};

struct Progress {
  double progress = 0;
  std::optional<double> total;
  std::string_view message;
};

/// Appends an answer; `id` and `result` are JSON.
void append_result(std::string& out, std::string_view id, std::string_view result);
void append_error(std::string& out, std::string_view id, const Error& error);

std::string initialize_result(const ServerInfo& server, Revision revision);
std::string tool_list(const ServerInfo& server, Revision revision);
/// Throws `std::logic_error` where the tool has an output schema and the text is not an object.
std::string tool_result(const Tool& tool, const ToolResult& result, Revision revision);
/// `params` is JSON.
std::string notification(std::string_view method, std::string_view params);
/// The params of `notifications/progress`; `token` is JSON.
std::string progress(std::string_view token, const Progress& progress, Revision revision);

/// A JSON object's text without the white space, so that it fits on a line. Throws
/// `std::invalid_argument` for anything else: `what` names it to the programmer.
std::string one_line_object(std::string_view json, std::string_view what);

}  // namespace molecule::mcp::encode
