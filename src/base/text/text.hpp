#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace molecule::text {

/// Removes ASCII white space at both ends.
std::string_view trim(std::string_view text);
/// The parts between separators, trimmed; blank parts are dropped.
std::vector<std::string> split_list(std::string_view text, char separator);
std::string lower(std::string_view text);
/// For comparing names that people type: Unicode's case folding, every script; "ß" is "ss".
std::string fold_case(std::string_view text);
/// Compares ASCII case-insensitively, like HTTP field names.
bool equal_ignoring_case(std::string_view a, std::string_view b);

bool valid_utf8(std::string_view text);
/// Replaces invalid UTF-8 by U+FFFD.
std::string repair_utf8(std::string_view text);
/// The longest prefix of at most `bytes` bytes that ends on a character (valid UTF-8 assumed).
std::string_view prefix_bytes(std::string_view text, std::size_t bytes);
/// The longest prefix of at most `characters` code points (valid UTF-8 assumed).
std::string_view prefix_characters(std::string_view text, std::size_t characters);
std::size_t count_characters(std::string_view text);

// Other people's text (sanitize.cpp).

/// Makes other people's text safe to show (lessons.md 4). Every line break becomes a newline; other
/// control characters except tab, bidirectional marks and invisible characters are removed, unless
/// a script or an emoji needs them. All scripts are kept, invalid UTF-8 is repaired. Idempotent.
std::string sanitize(std::string_view text);
/// For other people's names: `sanitize`, on one line, trimmed, at most 64 characters (lessons.md
/// 4).
std::string sanitize_name(std::string_view text);
/// For one line of a terminal: like `sanitize`, with tabs and line breaks as blanks.
std::string one_line(std::string_view text);

/// Encodes one segment or value of a URL (RFC 3986 2.1).
std::string percent_encode(std::string_view text);
/// Keeps malformed escapes as they are; '+' is a blank (form encoding).
std::string percent_decode(std::string_view text);

/// Compares secrets in constant time, so that timing does not tell where they differ.
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace molecule::text
