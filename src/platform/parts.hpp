#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/reader.hpp"

namespace molecule::platform {

// The parts of A2A messages, in the spellings of versions 0.2 (`type`), 0.3 (`kind`) and 1.0 (the
// member says what it is).

/// The texts, one a line, not sanitised. Data is shown as JSON; what is neither text nor data nor a
/// file is named.
std::string text_of_parts(json::Value parts);

/// A file as a sender describes it, not sanitised.
struct FilePart {
  std::string_view uri;
  std::string_view name;
  std::string_view mime_type;
  std::optional<std::int64_t> size;
};

/// The files of the parts. One whose content is in the message itself has no `uri`.
std::vector<FilePart> files_of_parts(json::Value parts);

}  // namespace molecule::platform
