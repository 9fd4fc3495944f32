#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace molecule::cli {

/// The text without the table `path` and the tables below it; everything else stays byte for byte.
std::string remove_toml_table(std::string_view text, const std::vector<std::string>& path);

/// The text with the table `path` replaced by `tables` (lines with their headers), or with them at
/// its end. The error says why nothing can be changed: the text is not valid, or has the table in
/// another form than under its own header.
Result<std::string, std::string> set_toml_table(std::string_view text,
                                                const std::vector<std::string>& path,
                                                std::string_view tables);

/// The text without the elements of these numbers of the list of tables `path`, and the tables
/// below them.
std::string remove_toml_items(std::string_view text, const std::vector<std::string>& path,
                              const std::vector<std::size_t>& numbers);

/// A TOML string with its quotes.
std::string toml_quoted(std::string_view text);

}  // namespace molecule::cli
