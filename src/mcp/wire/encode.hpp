#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mcp/revision.hpp"
#include "molecule/mcp/session.hpp"

// Encodes everything the server sends as JSON on one line, limited to the fields that the revision
// defines.
namespace molecule::mcp::encode {

inline constexpr std::array<std::string_view, 8> log_level_names{
    "debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"};

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

/// Appends a response; `id` and `result` are JSON.
void append_result(std::string& out, std::string_view id, std::string_view result);
void append_error(std::string& out, std::string_view id, const Error& error);
Error resource_not_found(std::string_view uri, Revision revision);
/// A request from the server to the host.
std::string request(std::int64_t id, std::string_view method, std::string_view params);

std::string initialize_result(const ServerInfo& server, Revision revision);
std::string discover_result(const ServerInfo& server);

/// The `_meta` member with the server's name and version, part of every stateless result.
std::string server_meta(const ServerInfo& server);
/// Adds JSON members to the text of an object.
void add_members(std::string& object, std::string_view members);
/// The members that say how long a stateless result may be cached.
std::string cache_members(const Cache& cache);

// The results of handlers, without the members common to stateless results.

/// Throws `std::logic_error` if the tool has an output schema and its result is not a JSON object.
std::string tool_result(const Tool& tool, const ToolResult& result, Revision revision);
std::string read_result(const ReadResult& result, std::string_view uri);
std::string prompt_result(const PromptResult& result, Revision revision);
std::string completion(const Completion& completion);
/// `token` stands for the state and may be empty. Throws `std::logic_error` if the params of a
/// request are not a JSON object.
std::string input_required(const InputNeeded& needed, std::string_view token);

/// `params` is JSON.
std::string notification(std::string_view method, std::string_view params);
/// The params of `notifications/progress`; `token` is JSON.
std::string progress(std::string_view token, const Progress& progress, Revision revision);
/// A complete `notifications/message`.
std::string log_message(LogLevel level, std::string_view logger, std::string_view text);

/// Minifies a JSON object so that it fits on one line. Throws `std::invalid_argument` for anything
/// else; `what` names the text in the message.
std::string one_line_object(std::string_view json, std::string_view what);

}  // namespace molecule::mcp::encode
