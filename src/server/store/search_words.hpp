#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace molecule::server::store {

/// What a user typed into a search, in terms that full-text indexes know. All of them must occur.
struct SearchTerms {
  /// Words, folded, without English stop words.
  std::vector<std::string> words;
  /// Pieces of scripts without spaces between words (Chinese, Japanese, Korean, Thai and their
  /// neighbours), found anywhere in a text: three characters or more.
  std::vector<std::string> parts;
  /// Shorter pieces, which no index has.
  std::vector<std::string> short_parts;

  std::size_t size() const { return words.size() + parts.size() + short_parts.size(); }
};

/// Splits the text; what follows the 12th term is dropped. No terms: then nothing matches
/// (platform-api.md 6.2).
SearchTerms search_terms(std::string_view typed);

/// A word or piece as a quoted FTS5 string, so that it is never query syntax.
std::string fts_string(std::string_view term);

/// A pattern for LIKE with ESCAPE '\' that finds `text` anywhere.
std::string like_anywhere(std::string_view text);

}  // namespace molecule::server::store
