#include <array>
#include <cstdint>

#include "base/text/characters.hpp"
#include "base/text/text.hpp"

namespace molecule::text {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";
constexpr std::uint32_t non_joiner = 0x200C;
constexpr std::uint32_t joiner = 0x200D;
constexpr std::uint32_t text_selector = 0xFE0E;
constexpr std::uint32_t emoji_selector = 0xFE0F;
constexpr std::uint32_t keycap = 0x20E3;
constexpr std::uint32_t black_flag = 0x1F3F4;

/// What follows the black flag in the flags of England, Scotland and Wales, the only sequences with
/// tag characters that Unicode recommends.
constexpr std::array<std::string_view, 3> flag_tags{
    "\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F",
    "\U000E0067\U000E0062\U000E0073\U000E0063\U000E0074\U000E007F",
    "\U000E0067\U000E0062\U000E0077\U000E006C\U000E0073\U000E007F",
};

enum class Lines { keep, join };

/// Copies what may be shown of a text. Invisible characters can carry hidden text or disguise
/// words, so only those are kept that change what a reader sees: joiners within scripts and emoji,
/// the presentation selector of an emoji, the tags of three flags.
class Cleaner {
 public:
  Cleaner(std::string_view text, Lines lines) : rest_(text), lines_(lines) {
    out_.reserve(text.size());
  }

  std::string run() && {
    while (!rest_.empty()) {
      if (!take_plain()) take_character();
    }
    return std::move(out_);
  }

 private:
  /// Printable ASCII, which most text is.
  bool take_plain() {
    std::size_t length = 0;
    while (length < rest_.size() && rest_[length] >= ' ' && rest_[length] < '\x7F') ++length;
    if (length == 0) return false;
    out_ += rest_.substr(0, length);
    last_ = static_cast<unsigned char>(rest_[length - 1]);
    rest_.remove_prefix(length);
    return true;
  }

  void take_character() {
    std::uint32_t code = 0;
    const std::size_t length = decode(rest_, code);
    const std::string_view bytes = length == 0 ? replacement : rest_.substr(0, length);
    if (length == 0) code = 0xFFFD;
    rest_.remove_prefix(length == 0 ? 1 : length);
    if (is_line_break(code)) {
      take_line_break(code);
    } else if (code == '\t') {
      keep(code, lines_ == Lines::join ? " " : "\t");
    } else if (is_control(code)) {
      return;
    } else if (!is_invisible(code) || is_wanted(code)) {
      keep(code, bytes);
      if (code == black_flag) take_flag_tags();
    }
  }

  void take_line_break(std::uint32_t code) {
    if (lines_ == Lines::join) return keep(code, " ");
    // CR LF is one line break.
    if (code == '\r' && rest_.starts_with('\n')) return;
    keep('\n', "\n");
  }

  void take_flag_tags() {
    for (const std::string_view tags : flag_tags) {
      if (!rest_.starts_with(tags)) continue;
      out_ += tags;
      rest_.remove_prefix(tags.size());
      return;
    }
  }

  bool is_wanted(std::uint32_t code) const {
    const std::uint32_t next = following();
    const bool after_emoji = is_pictograph(last_);
    if (code == emoji_selector) {
      const bool key = (last_ >= '0' && last_ <= '9') || last_ == '#' || last_ == '*';
      return after_emoji || (key && next == keycap);
    }
    if (code == text_selector) return after_emoji;
    // These select between the forms of a Mongolian letter.
    if (code >= 0x180B && code <= 0x180F) return last_ >= 0x1820 && last_ <= 0x18AA;
    if (code != joiner && code != non_joiner) return false;
    const bool within_emoji = after_emoji || is_skin_tone(last_) || last_ == emoji_selector;
    if (code == joiner && is_pictograph(next) && within_emoji) return true;
    // ASCII text needs no joiner, and no script needs two in a row.
    const bool may_join = last_ == ' ' || last_ > 0x7F;
    return may_join && last_ != joiner && last_ != non_joiner && !after_emoji;
  }

  /// The character after the current one, or 0.
  std::uint32_t following() const {
    std::uint32_t code = 0;
    return !rest_.empty() && decode(rest_, code) > 0 ? code : 0;
  }

  void keep(std::uint32_t code, std::string_view bytes) {
    out_ += bytes;
    last_ = code;
  }

  std::string_view rest_;
  Lines lines_;
  std::string out_;
  std::uint32_t last_ = 0;  ///< the last character that was kept
};

}  // namespace

std::string sanitize(std::string_view text) {
  return Cleaner(text, Lines::keep).run();
}

std::string sanitize_name(std::string_view text) {
  const std::string line = one_line(text);
  return std::string(trim(prefix_characters(trim(line), 64)));
}

std::string one_line(std::string_view text) {
  return Cleaner(text, Lines::join).run();
}

}  // namespace molecule::text
