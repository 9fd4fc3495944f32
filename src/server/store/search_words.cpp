#include "server/store/search_words.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <utility>

#include "base/text/characters.hpp"
#include "base/text/text.hpp"

namespace molecule::server::store {

namespace {

// Each number of terms is a statement of its own, so there are not many.
constexpr std::size_t max_terms = 12;

// Sorted. The stop words of PostgreSQL's "english" configuration.
constexpr std::array<std::string_view, 127> stop_words{
    "a",      "about",  "above", "after", "again",   "against",   "all",       "am",
    "an",     "and",    "any",   "are",   "as",      "at",        "be",        "because",
    "been",   "before", "being", "below", "between", "both",      "but",       "by",
    "can",    "did",    "do",    "does",  "doing",   "don",       "down",      "during",
    "each",   "few",    "for",   "from",  "further", "had",       "has",       "have",
    "having", "he",     "her",   "here",  "hers",    "herself",   "him",       "himself",
    "his",    "how",    "i",     "if",    "in",      "into",      "is",        "it",
    "its",    "itself", "just",  "me",    "more",    "most",      "my",        "myself",
    "no",     "nor",    "not",   "now",   "of",      "off",       "on",        "once",
    "only",   "or",     "other", "our",   "ours",    "ourselves", "out",       "over",
    "own",    "s",      "same",  "she",   "should",  "so",        "some",      "such",
    "t",      "than",   "that",  "the",   "their",   "theirs",    "them",      "themselves",
    "then",   "there",  "these", "they",  "this",    "those",     "through",   "to",
    "too",    "under",  "until", "up",    "very",    "was",       "we",        "were",
    "what",   "when",   "where", "which", "while",   "who",       "whom",      "why",
    "will",   "with",   "you",   "your",  "yours",   "yourself",  "yourselves"};
static_assert(std::ranges::is_sorted(stop_words));

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

bool contains(std::span<const Range> ranges, std::uint32_t code) {
  return std::ranges::any_of(
      ranges, [code](const Range& range) { return range.first <= code && code <= range.last; });
}

/// Scripts that are written without spaces between words, or (Korean) join particles to them.
bool is_unspaced(std::uint32_t code) {
  static constexpr std::array<Range, 14> scripts{{{0x0E00, 0x0E7F},      // Thai
                                                  {0x0E80, 0x0EFF},      // Lao
                                                  {0x1000, 0x109F},      // Burmese
                                                  {0x1100, 0x11FF},      // Hangul letters
                                                  {0x1780, 0x17FF},      // Khmer
                                                  {0x3005, 0x3007},      // iteration marks
                                                  {0x3040, 0x30FF},      // kana
                                                  {0x3100, 0x312F},      // Bopomofo
                                                  {0x3130, 0x318F},      // Hangul letters
                                                  {0x3400, 0x4DBF},      // Han
                                                  {0x4E00, 0x9FFF},      // Han
                                                  {0xAC00, 0xD7FF},      // Hangul
                                                  {0xF900, 0xFAFF},      // Han
                                                  {0x20000, 0x3FFFF}}};  // Han
  return contains(scripts, code);
}

/// Beyond ASCII, everything but punctuation and blanks belongs to words; the tokenizer decides
/// about the rest.
bool is_word(std::uint32_t code) {
  if (code < 0x80) {
    return (code >= 'A' && code <= 'Z') || (code >= 'a' && code <= 'z') ||
           (code >= '0' && code <= '9');
  }
  static constexpr std::array<Range, 8> between{{{0x80, 0xA9},
                                                 {0xAB, 0xB4},
                                                 {0x2000, 0x206F},
                                                 {0x2190, 0x2BFF},
                                                 {0x3000, 0x3004},
                                                 {0x3008, 0x303F},
                                                 {0xFF00, 0xFF0F},
                                                 {0xFF1A, 0xFF20}}};
  return !contains(between, code);
}

enum class Kind { none, word, part };

Kind kind_of(std::uint32_t code) {
  if (is_unspaced(code)) return Kind::part;
  return is_word(code) ? Kind::word : Kind::none;
}

void add_once(std::vector<std::string>& terms, std::string term) {
  if (std::ranges::find(terms, term) == terms.end()) terms.push_back(std::move(term));
}

void add_term(SearchTerms& terms, Kind kind, std::string_view text) {
  constexpr std::size_t trigram = 3;
  constexpr std::size_t max_characters = 100;
  text = text::prefix_characters(text, max_characters);
  if (text.empty() || terms.size() >= max_terms) return;
  if (kind == Kind::part) {
    const bool indexed = text::count_characters(text) >= trigram;
    add_once(indexed ? terms.parts : terms.short_parts, std::string(text));
  } else if (kind == Kind::word) {
    std::string word = text::fold_case(text);
    if (!std::ranges::binary_search(stop_words, word)) add_once(terms.words, std::move(word));
  }
}

}  // namespace

SearchTerms search_terms(std::string_view typed) {
  const std::string repaired = text::repair_utf8(typed);
  const std::string_view text = repaired;
  SearchTerms terms;
  Kind kind = Kind::none;
  std::size_t from = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    std::uint32_t code = 0;
    const std::size_t size = std::max<std::size_t>(text::decode(text.substr(at), code), 1);
    // A change of script ends a word too: "docs" is found beside the kanji it is written to.
    if (kind_of(code) != kind) {
      add_term(terms, kind, text.substr(from, at - from));
      kind = kind_of(code);
      from = at;
    }
    at += size;
  }
  add_term(terms, kind, text.substr(from));
  return terms;
}

std::string fts_string(std::string_view term) {
  std::string quoted = "\"";
  for (const char c : term) {
    if (c == '"') quoted += c;
    quoted += c;
  }
  return quoted + '"';
}

std::string like_anywhere(std::string_view text) {
  std::string pattern = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + '%';
}

}  // namespace molecule::server::store
