#include "server/store/search_words.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text/text.hpp"

namespace molecule::server::store {

namespace {

constexpr std::size_t max_words = 32;

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

/// Bytes beyond ASCII count as word bytes; the tokenizer decides about them.
bool is_word_byte(char c) {
  const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  return letter || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}

std::vector<std::string> words_of(std::string_view typed) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < typed.size() && words.size() < max_words;) {
    const auto from = std::find_if(typed.begin() + at, typed.end(), is_word_byte);
    const auto to = std::find_if_not(from, typed.end(), is_word_byte);
    std::string word = text::lower(std::string_view(from, to));
    if (!word.empty() && !std::ranges::binary_search(stop_words, word)) {
      words.push_back(std::move(word));
    }
    at = static_cast<std::size_t>(to - typed.begin());
  }
  return words;
}

}  // namespace

std::string search_expression(std::string_view typed) {
  std::string expression;
  for (const std::string& word : words_of(text::repair_utf8(typed))) {
    if (!expression.empty()) expression += ' ';
    expression.append("\"").append(word).append("\"");
  }
  return expression;
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
