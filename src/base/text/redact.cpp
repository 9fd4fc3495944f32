#include "base/text/redact.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/text/text.hpp"

namespace molecule {

namespace {

constexpr std::string_view mark = "[REDACTED]";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_letter(char c) {
  return is_upper(c) || (c >= 'a' && c <= 'z');
}
bool is_alphanumeric(char c) {
  return is_letter(c) || is_digit(c);
}
bool is_token_character(char c) {
  return is_alphanumeric(c) || c == '_' || c == '-';
}
bool is_word_character(char c) {
  return is_alphanumeric(c) || c == '_';
}
bool is_upper_or_digit(char c) {
  return is_upper(c) || is_digit(c);
}
bool is_base64(char c) {
  return is_alphanumeric(c) || c == '+' || c == '/' || c == '=';
}

std::size_t run_length(std::string_view text, bool (*accepts)(char)) {
  const auto end = std::find_if_not(text.begin(), text.end(), accepts);
  return static_cast<std::size_t>(end - text.begin());
}

struct Prefixed {
  std::string_view prefix;
  bool (*accepts)(char);
  std::size_t least;
  bool exact;  ///< takes `least` characters, not the whole run
};

constexpr std::array<Prefixed, 5> prefixed{{
    {"sk-", is_token_character, 20, false},
    {"ghp_", is_alphanumeric, 36, true},
    {"ghs_", is_alphanumeric, 36, true},
    {"github_pat_", is_word_character, 82, true},
    {"AKIA", is_upper_or_digit, 16, true},
}};

/// How many bytes at the start of `text` are a secret with a known prefix.
std::size_t prefixed_secret(std::string_view text) {
  for (const Prefixed& pattern : prefixed) {
    if (!text.starts_with(pattern.prefix)) continue;
    const std::size_t run = run_length(text.substr(pattern.prefix.size()), pattern.accepts);
    if (run < pattern.least) continue;
    return pattern.prefix.size() + (pattern.exact ? pattern.least : run);
  }
  return 0;
}

struct Assignment {
  std::size_t kept = 0;    ///< keyword and sign
  std::size_t secret = 0;  ///< what follows
};

/// `keyword = value` with a value of 40 or more base64 characters.
Assignment assigned_secret(std::string_view text) {
  static constexpr std::array<std::string_view, 5> keywords{"api_key", "key", "token", "secret",
                                                            "password"};
  for (const std::string_view keyword : keywords) {
    if (!text::equal_ignoring_case(text.substr(0, keyword.size()), keyword)) continue;
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    std::size_t at = keyword.size();
    at += run_length(text.substr(at), blank);
    if (at >= text.size() || text[at] != '=') continue;
    ++at;
    at += run_length(text.substr(at), blank);
    const std::size_t run = run_length(text.substr(at), is_base64);
    if (run >= 40) return {at, run};
  }
  return {};
}

}  // namespace

std::string redact_secrets(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    if (const std::size_t secret = prefixed_secret(text); secret > 0) {
      out += mark;
      text.remove_prefix(secret);
    } else if (const Assignment found = assigned_secret(text); found.secret > 0) {
      out += text.substr(0, found.kept);
      out += mark;
      text.remove_prefix(found.kept + found.secret);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace molecule
