#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json/reader.hpp"
#include "base/result.hpp"
#include "server/api/context.hpp"
#include "server/api/workspaces/workspace_rows.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

/// A UUID in its stored form (lower case); empty for any other text.
std::optional<std::string> parse_uuid(std::string_view text);

/// The workspace that the first variable of the path names, in its stored form: 400
/// `invalid workspace ID` for any other text. The workspace need not exist.
Result<std::string, Reply> path_workspace(const Request& request);
/// The same, read from the store: 404 `workspace not found` for unknown and removed ones.
awaitable<Result<WorkspaceRow, Reply>> existing_workspace(Context& context, const Request& request);

/// A request's JSON object, read with the strict types of platform-api.md 0: null counts as absent,
/// and a member of the wrong type makes the whole body invalid. Read all members first, then check
/// `ok`.
class Body {
 public:
  explicit Body(std::string_view text);
  /// Reads a member that is an object; its document must outlive this.
  explicit Body(json::Value object) : object_(object), ok_(object.is_object()) {}

  /// True if an object was sent and every member read so far had the right type.
  bool ok() const { return ok_; }
  std::string_view text(std::string_view name);
  std::optional<std::int64_t> integer(std::string_view name);
  std::optional<double> number(std::string_view name);
  std::optional<bool> boolean(std::string_view name);
  /// Any value; null counts as absent.
  json::Value any(std::string_view name) const;
  /// Any value, null included.
  json::Value member(std::string_view name) const { return object_[name]; }
  /// True if the member is present, even as null.
  bool has(std::string_view name) const { return object_[name].present(); }

 private:
  json::Document document_;
  json::Value object_;
  bool ok_ = true;
};

/// The parameter `limit` of a list: 1 to 200; 50 without one, or if it is no positive number.
int list_limit(const Request& request);

/// The query parameter `name` if it is a whole number in the range, else `otherwise`.
std::int64_t list_number(const Request& request, std::string_view name, std::int64_t min,
                         std::int64_t max, std::int64_t otherwise);

/// The depth of nested arrays and objects in valid JSON text.
int nesting(std::string_view json);

/// Deeper values are refused: parsers stop at about a thousand levels, so one such message would
/// make every page it is on unreadable and block an inbox.
constexpr int max_nesting = 200;

/// `value` as the text to store; empty if it is nested too deeply.
std::optional<std::string> storable_json(json::Value value);

/// A page ends after this many bytes, whatever its limit of rows, but holds at least one row.
constexpr std::size_t max_page_bytes = std::size_t{4} << 20;

}  // namespace molecule::server
