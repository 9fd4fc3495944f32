#include "server/api/input.hpp"

#include <algorithm>
#include <charconv>

#include "base/text/text.hpp"
#include "base/uuid.hpp"

namespace molecule::server {

namespace {

Result<WorkspaceRow, Reply> refuse(int status, std::string_view error) {
  return Failure{error_reply(status, error)};
}

}  // namespace

std::optional<std::string> parse_uuid(std::string_view text) {
  if (!is_uuid(text)) return std::nullopt;
  return text::lower(text);
}

Result<std::string, Reply> path_workspace(const Request& request) {
  if (!is_uuid(request.args.at(0))) return Failure{error_reply(400, "invalid workspace ID")};
  return request.args[0];
}

awaitable<Result<WorkspaceRow, Reply>> existing_workspace(Context& context,
                                                          const Request& request) {
  if (!is_uuid(request.args.at(0))) co_return refuse(400, "invalid workspace ID");
  std::optional<WorkspaceRow> row = co_await find_workspace(context, request.args[0]);
  if (!row || row->status == "removed") co_return refuse(404, "workspace not found");
  co_return *std::move(row);
}

Body::Body(std::string_view text) {
  const auto parsed = document_.parse(text);
  ok_ = parsed.ok() && parsed.value().is_object();
  if (ok_) object_ = parsed.value();
}

std::string_view Body::text(std::string_view name) {
  const json::Value value = any(name);
  ok_ = ok_ && (!value.present() || value.is_string());
  return value.string_or("");
}

std::optional<std::int64_t> Body::integer(std::string_view name) {
  const json::Value value = any(name);
  const std::optional<std::int64_t> number = value.integer();
  ok_ = ok_ && (!value.present() || number.has_value());
  return number;
}

std::optional<double> Body::number(std::string_view name) {
  const json::Value value = any(name);
  const std::optional<double> number = value.number();
  ok_ = ok_ && (!value.present() || number.has_value());
  return number;
}

std::optional<bool> Body::boolean(std::string_view name) {
  const json::Value value = any(name);
  const std::optional<bool> held = value.boolean();
  ok_ = ok_ && (!value.present() || held.has_value());
  return held;
}

json::Value Body::any(std::string_view name) const {
  const json::Value value = object_[name];
  return value.is_null() ? json::Value() : value;
}

int list_limit(const Request& request) {
  constexpr int usual = 50;
  constexpr int most = 200;
  const std::string_view text = request.parameter("limit").value_or("");
  int number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || number <= 0) return usual;
  return std::min(number, most);
}

std::int64_t list_number(const Request& request, std::string_view name, std::int64_t min,
                         std::int64_t max, std::int64_t otherwise) {
  const std::string_view text = request.parameter(name).value_or("");
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = failure == std::errc() && end == text.data() + text.size();
  return whole && value >= min && value <= max ? value : otherwise;
}

int nesting(std::string_view json) {
  int depth = 0;
  int max_depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      max_depth = std::max(max_depth, ++depth);
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return max_depth;
}

std::optional<std::string> storable_json(json::Value value) {
  std::string text = value.dump();
  if (nesting(text) > max_nesting) return std::nullopt;
  return text;
}

}  // namespace molecule::server
