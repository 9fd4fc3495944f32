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

/// The characters with which a pattern can begin; all others are copied unchecked.
constexpr std::array<bool, 256> begins_secret = [] {
  std::array<bool, 256> table{};
  for (const unsigned char c : std::string_view("AaKkPpSsTtg")) table.at(c) = true;
  return table;
}();

struct Prefixed {
  std::string_view prefix;
  bool (*accepts)(char);
  std::size_t min;
  bool exact;      ///< takes `min` characters, not the whole run
  bool in_a_word;  ///< also after letters or digits
};

constexpr std::array<Prefixed, 5> prefixed{{
    {"sk-", is_token_character, 20, false, false},
    {"ghp_", is_alphanumeric, 36, true, true},
    {"ghs_", is_alphanumeric, 36, true, true},
    {"github_pat_", is_word_character, 82, true, true},
    {"AKIA", is_upper_or_digit, 16, true, true},
}};

/// The length of the secret with a known prefix at the start of `text`, or 0. `in_a_word`: it
/// follows a letter or a digit, as "sk-" does in "task-".
std::size_t prefixed_secret(std::string_view text, bool in_a_word) {
  for (const Prefixed& pattern : prefixed) {
    if (text.front() != pattern.prefix.front() || !text.starts_with(pattern.prefix)) continue;
    if (in_a_word && !pattern.in_a_word) continue;
    const std::string_view rest = text.substr(pattern.prefix.size());
    // Measure only what would be redacted: the run may extend to the end of the text and contain
    // another prefix.
    const std::string_view counted = pattern.exact ? rest.substr(0, pattern.min) : rest;
    const std::size_t run = run_length(counted, pattern.accepts);
    if (run >= pattern.min) return pattern.prefix.size() + run;
  }
  return 0;
}

struct Assignment {
  std::size_t kept = 0;    ///< length of keyword and sign
  std::size_t secret = 0;  ///< length of the value
};

/// `keyword = value` with a value of 40 or more base64 characters.
Assignment assigned_secret(std::string_view text) {
  static constexpr std::array<std::string_view, 5> keywords{"api_key", "key", "token", "secret",
                                                            "password"};
  for (const std::string_view keyword : keywords) {
    if ((text.front() | 0x20) != keyword.front()) continue;
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
    const std::size_t plain =
        run_length(text, [](char c) { return !begins_secret[static_cast<unsigned char>(c)]; });
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    // A mark ends with a bracket, so a second pass finds the same secrets.
    const bool in_a_word = !out.empty() && is_alphanumeric(out.back());
    if (const std::size_t secret = prefixed_secret(text, in_a_word); secret > 0) {
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

std::string hide_secret(std::string_view text, std::string_view secret) {
  if (secret.size() < min_secret_bytes) return std::string(text);
  std::string out;
  out.reserve(text.size());
  while (true) {
    const std::size_t at = text.find(secret);
    if (at == std::string_view::npos) break;
    out += text.substr(0, at);
    out += mark;
    text.remove_prefix(at + secret.size());
  }
  out += text;
  return out;
}

}  // namespace molecule
