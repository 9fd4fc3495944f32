#include "server/api/memory/memory_redaction.hpp"

#include <array>
#include <cstddef>

#include "base/text/text.hpp"

namespace molecule::server {

namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
constexpr bool is_alphanumeric(char c) {
  return is_letter(c) || is_digit(c);
}
constexpr bool is_word(char c) {
  return is_alphanumeric(c) || c == '_';
}
constexpr bool is_key_character(char c) {
  return is_word(c) || c == '-';
}
constexpr bool is_base64(char c) {
  return is_alphanumeric(c) || c == '+' || c == '/';
}
constexpr bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r' && c != '\v');
}
constexpr bool is_visible(char c) {
  return !is_blank(c);
}

using Class = std::array<bool, 256>;

/// The characters that `accepts` takes, as a table: a text is scanned seven times.
constexpr Class make_class(bool (*accepts)(char)) {
  Class table{};
  for (int c = 0; c < 256; ++c)
    table.at(static_cast<std::size_t>(c)) = accepts(static_cast<char>(c));
  return table;
}

constexpr Class alphanumerics = make_class(is_alphanumeric);
constexpr Class words = make_class(is_word);
constexpr Class key_characters = make_class(is_key_character);
constexpr Class base64 = make_class(is_base64);
constexpr Class blanks = make_class(is_blank);
constexpr Class visibles = make_class(is_visible);

bool has(const Class& accepted, char c) {
  return accepted[static_cast<unsigned char>(c)];
}

/// The end of the run of accepted characters that begins at `at`.
std::size_t run_end(std::string_view text, std::size_t at, const Class& accepted) {
  while (at < text.size() && has(accepted, text[at])) ++at;
  return at;
}

/// The beginning of the run of accepted characters that ends at `at`.
std::size_t run_begin(std::string_view text, std::size_t at, const Class& accepted) {
  while (at > 0 && has(accepted, text[at - 1])) --at;
  return at;
}

/// A piece of the text; empty if nothing matched.
struct Match {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Each of these finds the first match from `at` on. They go from one sign or prefix to the next and
// measure each run once, so that every character is read a few times at most.

/// A name that ends in `suffix`, an equals sign, a value.
Match find_assignment(std::string_view text, std::size_t at, std::string_view suffix) {
  for (std::size_t sign = at; (sign = text.find('=', sign)) != std::string_view::npos; ++sign) {
    const std::size_t name_end = run_begin(text, sign, blanks);
    const std::size_t begin = run_begin(text, name_end, words);
    const std::string_view name = text.substr(begin, name_end - begin);
    const bool named = begin >= at && name.size() > suffix.size() && is_letter(name.front()) &&
                       text::equal_ignoring_case(name.substr(name.size() - suffix.size()), suffix);
    if (!named) continue;
    const std::size_t value = run_end(text, sign + 1, blanks);
    const std::size_t end = run_end(text, value, visibles);
    if (end > value) return {begin, end};
  }
  return {};
}

Match find_api_key(std::string_view text, std::size_t at) {
  return find_assignment(text, at, "_API_KEY");
}
Match find_token(std::string_view text, std::size_t at) {
  return find_assignment(text, at, "_TOKEN");
}
Match find_secret(std::string_view text, std::size_t at) {
  return find_assignment(text, at, "_SECRET");
}

Match find_bearer(std::string_view text, std::size_t at) {
  constexpr std::string_view scheme = "Bearer";
  for (; (at = text.find(scheme, at)) != std::string_view::npos; at += scheme.size()) {
    const std::size_t after = at + scheme.size();
    const std::size_t value = run_end(text, after, blanks);
    if (value == after) continue;
    const std::size_t end = run_end(text, value, visibles);
    if (end > value) return {at, end};
  }
  return {};
}

/// `prefix` and at least `min` accepted characters.
Match find_prefixed(std::string_view text, std::size_t at, std::string_view prefix, std::size_t min,
                    const Class& accepted) {
  for (; (at = text.find(prefix, at)) != std::string_view::npos; at += prefix.size()) {
    const std::size_t end = run_end(text, at + prefix.size(), accepted);
    if (end - at - prefix.size() >= min) return {at, end};
  }
  return {};
}

Match find_sk(std::string_view text, std::size_t at) {
  return find_prefixed(text, at, "sk-", 16, key_characters);
}
Match find_ctx7(std::string_view text, std::size_t at) {
  return find_prefixed(text, at, "ctx7_", 1, alphanumerics);
}

Match find_base64(std::string_view text, std::size_t at) {
  constexpr std::size_t min = 33;
  while (at < text.size()) {
    std::size_t end = run_end(text, at, base64);
    const bool whole = at == 0 || !has(base64, text[at - 1]);
    if (whole && end - at >= min) {
      const std::size_t begin = at;
      for (int i = 0; i < 2 && end < text.size() && text[end] == '='; ++i) ++end;
      return {begin, end};
    }
    at = end;
    while (at < text.size() && !has(base64, text[at])) ++at;
  }
  return {};
}

struct Pattern {
  std::string_view mark;
  Match (*find)(std::string_view text, std::size_t at);
};

constexpr std::array<Pattern, 7> patterns{{
    {"[REDACTED:API_KEY]", find_api_key},
    {"[REDACTED:TOKEN]", find_token},
    {"[REDACTED:SECRET]", find_secret},
    {"[REDACTED:BEARER_TOKEN]", find_bearer},
    {"[REDACTED:SK_TOKEN]", find_sk},
    {"[REDACTED:CTX7_TOKEN]", find_ctx7},
    {"[REDACTED:BASE64_BLOB]", find_base64},
}};

std::string replace_all(std::string_view text, const Pattern& pattern) {
  std::string out;
  out.reserve(text.size());
  std::size_t at = 0;
  while (true) {
    const Match found = pattern.find(text, at);
    if (found.end == found.begin) break;
    out += text.substr(at, found.begin - at);
    out += pattern.mark;
    at = found.end;
  }
  out += text.substr(at);
  return out;
}

}  // namespace

std::string redact_memory(std::string_view content) {
  std::string text(content);
  for (const Pattern& pattern : patterns) text = replace_all(text, pattern);
  return text;
}

}  // namespace molecule::server
