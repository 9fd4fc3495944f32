#include "cli/install/json_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "base/json/reader.hpp"
#include "base/json/writer.hpp"

namespace molecule::cli {

namespace {

constexpr int max_depth = 100;

struct Wrong {
  std::size_t at;
  std::string_view what;
};

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_name(char c) {
  const char lower = static_cast<char>(static_cast<unsigned char>(c) | 0x20U);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
}

class Scanner {
 public:
  Scanner(std::string_view text, JsonDialect dialect) : text_(text), dialect_(dialect) {}

  JsonNode document() {
    skip();
    JsonNode root = value(0);
    skip();
    if (at_ < text_.size()) throw Wrong{at_, "something follows the end"};
    return root;
  }

  void skip() {
    while (at_ < text_.size()) {
      if (is_blank(text_[at_])) {
        ++at_;
      } else if (text_.substr(at_).starts_with("//")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (text_.substr(at_).starts_with("/*")) {
        const std::size_t end = text_.find("*/", at_ + 2);
        if (end == std::string_view::npos) throw Wrong{at_, "a comment does not end"};
        at_ = end + 2;
      } else {
        return;
      }
    }
  }

  std::size_t at_ = 0;

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  JsonNode value(int depth) {
    if (depth > max_depth) throw Wrong{at_, "it is nested too deeply"};
    JsonNode node;
    node.begin = at_;
    if (peek() == '{' || peek() == '[') {
      container(node, depth);
    } else if (peek() == '"' || (dialect_.json5 && peek() == '\'')) {
      string();
    } else {
      scalar();
    }
    node.end = at_;
    return node;
  }

  void container(JsonNode& node, int depth) {
    const bool object = peek() == '{';
    const char close = object ? '}' : ']';
    node.kind = object ? JsonNode::Kind::object : JsonNode::Kind::array;
    node.tail = ++at_;
    skip();
    while (peek() != close) {
      if (!node.children.empty() && !node.trailing_comma) throw Wrong{at_, "a comma is missing"};
      node.children.push_back(object ? member(depth) : value(depth + 1));
      node.tail = at_;
      skip();
      node.trailing_comma = peek() == ',';
      if (node.trailing_comma) {
        node.tail = ++at_;
        skip();
      }
    }
    if (node.trailing_comma && !dialect_.trailing_commas) {
      throw Wrong{node.tail - 1, "a comma stands before the closing bracket"};
    }
    ++at_;
  }

  JsonNode member(int depth) {
    const std::size_t begin = at_;
    std::string key;
    if (peek() == '"' || (dialect_.json5 && peek() == '\'')) {
      key = string();
    } else if (dialect_.json5 && is_name(peek())) {
      while (is_name(peek())) key += text_[at_++];
    } else {
      throw Wrong{at_, "a name in quotes is missing"};
    }
    skip();
    if (peek() != ':') throw Wrong{at_, "a colon is missing"};
    ++at_;
    skip();
    JsonNode node = value(depth + 1);
    node.key = std::move(key);
    node.key_begin = begin;
    return node;
  }

  /// Its content, decoded.
  std::string string() {
    const std::size_t begin = at_;
    const char quote = text_[at_++];
    while (peek() != quote) {
      if (peek() == '\0' || peek() == '\n') throw Wrong{begin, "a string does not end"};
      at_ += peek() == '\\' ? 2 : 1;
    }
    ++at_;
    if (at_ > text_.size()) throw Wrong{begin, "a string does not end"};
    const std::string_view inner = text_.substr(begin + 1, at_ - begin - 2);
    if (quote == '\'') return std::string(inner);
    json::Document document;
    // The reader takes whole documents: a list of this one string.
    const std::string list = fmt::format("[{}]", text_.substr(begin, at_ - begin));
    if (!document.parse(list).ok()) throw Wrong{begin, "a string is not valid"};
    return std::string(document.root().items().front().string_or(""));
  }

  void scalar() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && !is_blank(peek()) &&
           std::string_view(",]}/:").find(peek()) == std::string_view::npos) {
      ++at_;
    }
    json::Document document;
    const std::string list = fmt::format("[{}]", text_.substr(begin, at_ - begin));
    if (at_ == begin || !document.parse(list).ok() || document.root().items().size() != 1) {
      throw Wrong{begin, "a value is not valid"};
    }
  }

  std::string_view text_;
  JsonDialect dialect_;
};

void spread(std::string& out, json::Value value, const std::string& indent,
            const std::string& unit) {
  const std::string inner = indent + unit;
  const auto members = value.members();
  const auto items = value.items();
  if (!members.empty()) {
    out += '{';
    for (std::size_t i = 0; i < members.size(); ++i) {
      out += (i == 0 ? "\n" : ",\n") + inner + json::quoted(members[i].first) + ": ";
      spread(out, members[i].second, inner, unit);
    }
    out += '\n' + indent + '}';
  } else if (std::ranges::any_of(
                 items, [](json::Value one) { return one.is_object() || one.is_array(); })) {
    out += '[';
    for (std::size_t i = 0; i < items.size(); ++i) {
      out += (i == 0 ? "\n" : ",\n") + inner;
      spread(out, items[i], inner, unit);
    }
    out += '\n' + indent + ']';
  } else if (!items.empty()) {
    out += '[';
    for (std::size_t i = 0; i < items.size(); ++i) out += (i == 0 ? "" : ", ") + items[i].dump();
    out += ']';
  } else {
    out += value.dump();
  }
}

}  // namespace

Result<JsonNode, std::string> scan_json(std::string_view text, JsonDialect dialect) {
  try {
    return Scanner(text, dialect).document();
  } catch (const Wrong& wrong) {
    const std::string_view before = text.substr(0, wrong.at);
    return Failure{fmt::format("line {}: {}", std::ranges::count(before, '\n') + 1, wrong.what)};
  }
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  Scanner scanner(text, {});
  scanner.at_ = at;
  scanner.skip();
  return scanner.at_;
}

std::string compact_json(std::string_view text, const JsonNode& node) {
  if (node.kind == JsonNode::Kind::scalar) {
    const std::string_view raw = text.substr(node.begin, node.end - node.begin);
    if (raw.starts_with('\'')) return json::quoted(raw.substr(1, raw.size() - 2));
    json::Document document;
    if (!document.parse(fmt::format("[{}]", raw)).ok()) return std::string(raw);
    return document.root().items().front().dump();
  }
  const bool object = node.kind == JsonNode::Kind::object;
  std::string out(1, object ? '{' : '[');
  for (const JsonNode& child : node.children) {
    if (out.size() > 1) out += ',';
    if (object) out += json::quoted(child.key) + ":";
    out += compact_json(text, child);
  }
  out += object ? '}' : ']';
  return out;
}

std::string spread_json(std::string_view json, const std::string& indent, const std::string& unit) {
  json::Document document;
  std::string out;
  if (!document.parse(json).ok()) return std::string(json);
  spread(out, document.root(), indent, unit);
  return out;
}

}  // namespace molecule::cli
