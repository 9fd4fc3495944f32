#include "base/text/text.hpp"

#include <string>

#include "base/json/reader.hpp"
#include "base/json/writer.hpp"
#include "fuzz/targets.hpp"

namespace molecule::fuzz {

namespace {

void check_cleaning(std::string_view input, std::string (*clean)(std::string_view),
                    const std::string& name) {
  const std::string once = clean(input);
  require(text::valid_utf8(once), name + " gives UTF-8");
  require(clean(once) == once, name + " changes nothing the second time");
}

/// The characters that must not reach a reader, listed independently of the code that removes them.
void check_harmless(const std::string& shown) {
  for (const char c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    require((byte >= 0x20 && byte != 0x7F) || c == '\n' || c == '\t', "no control characters");
  }
  for (const char* const mark : {"\u061C", "\u200E", "\u200F", "\u202A", "\u202B", "\u202C",
                                 "\u202D", "\u202E", "\u2066", "\u2067", "\u2068", "\u2069"}) {
    require(shown.find(mark) == std::string::npos, "nothing reorders the text");
  }
}

void check_prefixes(std::string_view valid) {
  const std::size_t characters = text::count_characters(valid);
  require(text::prefix_characters(valid, characters) == valid, "all characters are all of it");
  const std::string_view bytes = text::prefix_bytes(valid, valid.size() / 2);
  require(text::valid_utf8(bytes) && bytes.size() <= valid.size() / 2, "cut on a character");
  const std::string_view half = text::prefix_characters(valid, characters / 2);
  require(text::valid_utf8(half), "a prefix is UTF-8");
  require(text::count_characters(half) == characters / 2, "a prefix has its characters");
}

}  // namespace

void text(std::string_view input) {
  namespace text = molecule::text;
  check_cleaning(input, text::repair_utf8, "repair_utf8");
  check_cleaning(input, text::sanitize, "sanitize");
  check_cleaning(input, text::sanitize_name, "sanitize_name");
  check_cleaning(input, text::one_line, "one_line");
  check_harmless(text::sanitize(input));
  check_harmless(text::sanitize_name(input));
  require(text::one_line(input).find_first_of("\n\r\t") == std::string::npos, "one line is one");
  require(text::count_characters(text::sanitize_name(input)) <= 64, "a name is short");

  const std::string valid = text::repair_utf8(input);
  require(!text::valid_utf8(input) || valid == input, "valid text is not repaired");
  check_prefixes(valid);
  require(text::percent_decode(text::percent_encode(input)) == input, "escapes are undone");

  molecule::json::Document document;
  require(document.parse(molecule::json::quoted(input)).ok(), "any text can be written as JSON");
  require(document.root().string_or({}) == valid, "what is written is read back");
}

}  // namespace molecule::fuzz
