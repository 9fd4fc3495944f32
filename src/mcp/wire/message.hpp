#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json/reader.hpp"

namespace molecule::mcp {

/// Error codes of JSON-RPC 2.0, section 5.1, and of MCP.
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

/// One line, or one element of a batch, after parsing. Views the document and the text.
struct Message {
  Shape shape = Shape::invalid;
  /// The id exactly as spelled, to be echoed; "null" if there is no valid one.
  std::string id = "null";
  json::Value id_value;
  std::string_view method;
  json::Value params;
  /// The result or the error of a response.
  json::Value result;
  json::Value error;
  /// For `Shape::invalid`: the error code and message to answer with.
  int code = 0;
  std::string_view problem;
};

/// Parses `text`, which must be followed by 64 readable bytes, into `document`.
Message read_message(json::Document& document, std::string_view text);

/// A map key: equal for equal ids however they are spelled, empty for an invalid id.
std::string id_key(const json::Value& id);

/// Splits a JSON array, which must be valid, into the texts of its elements.
std::vector<std::string_view> split_array(std::string_view text);

}  // namespace molecule::mcp
