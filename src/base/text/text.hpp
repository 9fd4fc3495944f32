#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace molecule::text {

/// Without white space (ASCII) on both sides.
std::string_view trim(std::string_view text);
/// The parts between separators, each trimmed, blank ones dropped.
std::vector<std::string> split_list(std::string_view text, char separator);
std::string lower(std::string_view text);
/// ASCII case is ignored, as in HTTP's field names.
bool equal_ignoring_case(std::string_view a, std::string_view b);

bool valid_utf8(std::string_view text);
/// With U+FFFD in place of whatever is not UTF-8.
std::string repair_utf8(std::string_view text);
/// The longest prefix of at most `bytes` bytes that ends on a character (valid UTF-8 assumed).
std::string_view prefix_bytes(std::string_view text, std::size_t bytes);
/// The longest prefix of at most `characters` code points (valid UTF-8 assumed).
std::string_view prefix_characters(std::string_view text, std::size_t characters);
std::size_t count_characters(std::string_view text);

// Text of others (sanitize.cpp).

/// Text of others, made safe to show (lessons.md 4): whatever ends a line becomes a newline; other
/// control characters except tab, bidirectional marks, and characters that show nothing are
/// removed, unless a script or an emoji needs them; every script is kept; invalid UTF-8 is
/// repaired. Idempotent.
std::string sanitize(std::string_view text);
/// A name of others: `sanitize`d, on one line, trimmed, at most 64 characters (lessons.md 4).
std::string sanitize_name(std::string_view text);
/// A terminal's line: like `sanitize`, with tabs and line breaks as blanks.
std::string one_line(std::string_view text);

/// For one segment or value of a URL (RFC 3986 2.1).
std::string percent_encode(std::string_view text);
/// Repairs nothing: malformed escapes are kept as they are; '+' is a blank (form encoding).
std::string percent_decode(std::string_view text);

/// Compares without telling by its duration where two secrets differ.
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace molecule::text
