#include "server/api/memory/memory_redaction.hpp"

#include <array>
#include <cstddef>

#include "base/text/text.hpp"

namespace molecule::server {

namespace {

using Accepts = bool (*)(char);

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
bool is_alphanumeric(char c) {
  return is_letter(c) || is_digit(c);
}
bool is_word(char c) {
  return is_alphanumeric(c) || c == '_';
}
bool is_key_character(char c) {
  return is_word(c) || c == '-';
}
bool is_base64(char c) {
  return is_alphanumeric(c) || c == '+' || c == '/';
}
bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r' && c != '\v');
}
bool is_visible(char c) {
  return !is_blank(c);
}

/// The end of the run of accepted characters that begins at `at`.
std::size_t run_end(std::string_view text, std::size_t at, Accepts accepts) {
  while (at < text.size() && accepts(text[at])) ++at;
  return at;
}

bool begins_run(std::string_view text, std::size_t at, Accepts accepts) {
  return accepts(text[at]) && (at == 0 || !accepts(text[at - 1]));
}

// Each of these returns the end of the match that begins at `at`, or `at` if there is none. A run
// is measured from its beginning only, so that every character is read a few times at most.

/// A name that ends in `suffix`, an equals sign, a value.
std::size_t match_assignment(std::string_view text, std::size_t at, std::string_view suffix) {
  if (!begins_run(text, at, is_word) || !is_letter(text[at])) return at;
  const std::size_t name_end = run_end(text, at, is_word);
  const std::string_view name = text.substr(at, name_end - at);
  const bool named = name.size() > suffix.size() &&
                     text::equal_ignoring_case(name.substr(name.size() - suffix.size()), suffix);
  if (!named) return at;
  const std::size_t sign = run_end(text, name_end, is_blank);
  if (sign == text.size() || text[sign] != '=') return at;
  const std::size_t value = run_end(text, sign + 1, is_blank);
  const std::size_t end = run_end(text, value, is_visible);
  return end > value ? end : at;
}

std::size_t match_api_key(std::string_view text, std::size_t at) {
  return match_assignment(text, at, "_API_KEY");
}
std::size_t match_token(std::string_view text, std::size_t at) {
  return match_assignment(text, at, "_TOKEN");
}
std::size_t match_secret(std::string_view text, std::size_t at) {
  return match_assignment(text, at, "_SECRET");
}

std::size_t match_bearer(std::string_view text, std::size_t at) {
  constexpr std::string_view scheme = "Bearer";
  if (!text.substr(at).starts_with(scheme)) return at;
  const std::size_t blanks = at + scheme.size();
  const std::size_t value = run_end(text, blanks, is_blank);
  if (value == blanks) return at;
  const std::size_t end = run_end(text, value, is_visible);
  return end > value ? end : at;
}

std::size_t match_sk(std::string_view text, std::size_t at) {
  constexpr std::string_view prefix = "sk-";
  constexpr std::size_t least = 16;
  if (!text.substr(at).starts_with(prefix)) return at;
  const std::size_t end = run_end(text, at + prefix.size(), is_key_character);
  return end - at - prefix.size() >= least ? end : at;
}

std::size_t match_ctx7(std::string_view text, std::size_t at) {
  constexpr std::string_view prefix = "ctx7_";
  if (!text.substr(at).starts_with(prefix)) return at;
  const std::size_t end = run_end(text, at + prefix.size(), is_alphanumeric);
  return end > at + prefix.size() ? end : at;
}

std::size_t match_base64(std::string_view text, std::size_t at) {
  constexpr std::size_t least = 33;
  if (!begins_run(text, at, is_base64)) return at;
  std::size_t end = run_end(text, at, is_base64);
  if (end - at < least) return at;
  for (int i = 0; i < 2 && end < text.size() && text[end] == '='; ++i) ++end;
  return end;
}

struct Pattern {
  std::string_view mark;
  std::size_t (*match)(std::string_view text, std::size_t at);
};

constexpr std::array<Pattern, 7> patterns{{
    {"[REDACTED:API_KEY]", match_api_key},
    {"[REDACTED:TOKEN]", match_token},
    {"[REDACTED:SECRET]", match_secret},
    {"[REDACTED:BEARER_TOKEN]", match_bearer},
    {"[REDACTED:SK_TOKEN]", match_sk},
    {"[REDACTED:CTX7_TOKEN]", match_ctx7},
    {"[REDACTED:BASE64_BLOB]", match_base64},
}};

std::string replace_all(std::string_view text, const Pattern& pattern) {
  std::string out;
  out.reserve(text.size());
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = pattern.match(text, at);
    if (end > at) {
      out += pattern.mark;
      at = end;
    } else {
      out += text[at++];
    }
  }
  return out;
}

}  // namespace

std::string redact_memory(std::string_view content) {
  std::string text(content);
  for (const Pattern& pattern : patterns) text = replace_all(text, pattern);
  return text;
}

}  // namespace molecule::server
