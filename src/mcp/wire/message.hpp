#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json/reader.hpp"

namespace molecule::mcp {

/// JSON-RPC 2.0, section 5.1, and MCP's own.
namespace code {
inline constexpr int parse_error = -32700;
inline constexpr int invalid_request = -32600;
inline constexpr int method_not_found = -32601;
inline constexpr int invalid_params = -32602;
inline constexpr int internal_error = -32603;
inline constexpr int too_many = -32000;
inline constexpr int resource_not_found = -32002;
inline constexpr int missing_capability = -32021;
inline constexpr int unsupported_version = -32022;
}  // namespace code

enum class Shape { request, notification, response, batch, invalid };

/// What one line, or one element of a batch, turned out to be. Views the document and the text.
struct Message {
  Shape shape = Shape::invalid;
  /// The id exactly as it was spelled, to be echoed; "null" where none is usable.
  std::string id = "null";
  json::Value id_value;
  std::string_view method;
  json::Value params;
  /// Of a response: its result, or its error.
  json::Value result;
  json::Value error;
  /// Why it is invalid.
  int code = 0;
  std::string_view problem;
};

/// Reads `text`, which 64 readable bytes follow, into `document`.
Message read_message(json::Document& document, std::string_view text);

/// A key that is equal for equal ids however they are spelled; empty for what cannot be an id.
std::string id_key(const json::Value& id);

/// The elements' texts of an array, which is known to be valid JSON.
std::vector<std::string_view> split_array(std::string_view text);

}  // namespace molecule::mcp
