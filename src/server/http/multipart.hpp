#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace molecule::server {

/// One part of a multipart/form-data body (RFC 7578). `content` views the body.
struct FormPart {
  std::string name;
  /// Absent for a part that is not a file.
  std::optional<std::string> filename;
  std::string content_type;
  std::string_view content;
};

/// The parts in order: at most `max_parts` + 1 of them, so that the caller can detect too many.
/// Empty if `content_type` is not multipart/form-data with a boundary, or the body is incomplete.
std::optional<std::vector<FormPart>> parse_form(std::string_view content_type,
                                                std::string_view body, std::size_t max_parts);

/// The value of `parameter` in a field like `form-data; name="a"; filename="b"`, unquoted; the
/// first of a repeated one.
std::optional<std::string> field_parameter(std::string_view field, std::string_view parameter);

}  // namespace molecule::server
