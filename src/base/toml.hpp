#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace molecule {

/// A TOML document as the text of a JSON object, so that configuration is read like any other
/// input. Dates become strings. The error is for people: where in the text, and what is wrong.
Result<std::string, std::string> toml_to_json(std::string_view text);

}  // namespace molecule
