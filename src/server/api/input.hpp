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

/// A UUID in its stored form (lower case); nothing for any other text.
std::optional<std::string> parse_uuid(std::string_view text);

/// The workspace that the first variable of the path names, in its stored form: 400
/// `invalid workspace ID` for any other text. It need not exist.
Result<std::string, Reply> path_workspace(const Request& request);
/// The same, read from the store: 404 `workspace not found` for unknown and removed ones.
awaitable<Result<WorkspaceRow, Reply>> existing_workspace(Context& context, const Request& request);

/// A request's JSON object, read with the strict types of platform-api.md 0: an absent member and
/// null are the same, any other type than the asked one makes the whole body invalid. Ask for all
/// members first, then for `ok`.
class Body {
 public:
  explicit Body(std::string_view text);
  /// For a member that is an object; its document must outlive this.
  explicit Body(json::Value object) : object_(object), ok_(object.is_object()) {}

  /// An object was sent, and every member that was asked for had the right type.
  bool ok() const { return ok_; }
  std::string_view text(std::string_view name);
  std::optional<std::int64_t> integer(std::string_view name);
  std::optional<double> number(std::string_view name);
  std::optional<bool> boolean(std::string_view name);
  /// Any value; absent for null too.
  json::Value any(std::string_view name) const;
  /// Any value, null included.
  json::Value member(std::string_view name) const { return object_[name]; }
  /// The member is there, be it null.
  bool has(std::string_view name) const { return object_[name].present(); }

 private:
  json::Document document_;
  json::Value object_;
  bool ok_ = true;
};

/// Levels of arrays and objects in valid JSON text.
int nesting(std::string_view json);

/// Deeper values are refused: parsers stop at about a thousand levels, so one such message would
/// make every page it is on unreadable and block an inbox.
constexpr int max_nesting = 200;

/// `value` as the text to store; nothing if it is nested too deeply.
std::optional<std::string> storable_json(json::Value value);

/// Pages end after this many bytes, with at least one row, however many rows were asked for.
constexpr std::size_t max_page_bytes = std::size_t{4} << 20;

}  // namespace molecule::server
