#include "base/json/reader.hpp"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/json/limits.hpp"
#include "base/json/writer.hpp"

namespace molecule::json {

namespace dom = simdjson::dom;

static_assert(sizeof(dom::element) == 16 && std::is_trivially_copyable_v<dom::element>);

struct Access {
  static dom::element element(const Value& value) {
    return std::bit_cast<dom::element>(value.storage_);
  }
  static Value value(dom::element element) {
    Value result;
    result.storage_ = std::bit_cast<std::array<std::byte, 16>>(element);
    result.present_ = true;
    return result;
  }
};

namespace {

constexpr std::size_t largest_text = std::size_t{64} << 20;
constexpr std::size_t kept_capacity = std::size_t{1} << 20;

/// Shared by all documents: it keeps nothing of a text after parsing it.
dom::parser& scratch() {
  static thread_local dom::parser parser(largest_text);
  return parser;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The code unit of the escape `\uXXXX` at `at`, or -1.
int escaped_unit(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return -1;
  int unit = 0;
  for (std::size_t i = at + 2; i < at + 6; ++i) {
    const int digit = hex_digit(text[i]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

bool may_have_surrogates(std::string_view text) {
  for (std::size_t at = text.find("\\u"); at != std::string_view::npos;
       at = text.find("\\u", at + 2)) {
    if (at + 2 < text.size() && (text[at + 2] == 'd' || text[at + 2] == 'D')) return true;
  }
  return false;
}

/// simdjson 3.0 refuses a lone high surrogate and writes invalid UTF-8 for a lone low one.
std::string without_lone_surrogates(std::string_view text) {
  std::string out;
  out.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '\\') {
      out += text[i++];
      continue;
    }
    const int unit = escaped_unit(text, i);
    if (unit < 0xD800 || unit > 0xDFFF) {
      const std::size_t length = std::min<std::size_t>(2, text.size() - i);
      out += text.substr(i, length);
      i += length;
      continue;
    }
    const int next = escaped_unit(text, i + 6);
    if (unit <= 0xDBFF && next >= 0xDC00 && next <= 0xDFFF) {
      out += text.substr(i, 12);
      i += 12;
    } else {
      out += "\\ufffd";
      i += 6;
    }
  }
  return out;
}

/// simdjson refuses numbers that it cannot hold. Newer versions have a second error for that, next
/// to the first.
bool is_about_a_number(simdjson::error_code error) {
  return error >= simdjson::NUMBER_ERROR && error < simdjson::UTF8_ERROR;
}

}  // namespace

Type Value::type() const {
  if (!present_) return Type::absent;
  switch (Access::element(*this).type()) {
    case dom::element_type::ARRAY:
      return Type::array;
    case dom::element_type::OBJECT:
      return Type::object;
    case dom::element_type::INT64:
    case dom::element_type::UINT64:
      return Type::integer;
    case dom::element_type::DOUBLE:
      return Type::number;
    case dom::element_type::STRING:
      return Type::string;
    case dom::element_type::BOOL:
      return Type::boolean;
    case dom::element_type::NULL_VALUE:
      break;
  }
  return Type::null;
}

Value Value::operator[](std::string_view key) const {
  if (type() != Type::object) return {};
  // at_key compares the unescaped keys.
  auto found = Access::element(*this).get_object().value_unsafe().at_key(key);
  if (found.error() != simdjson::SUCCESS) return {};
  return Access::value(found.value_unsafe());
}

std::optional<std::string_view> Value::string() const {
  if (type() != Type::string) return std::nullopt;
  return Access::element(*this).get_string().value_unsafe();
}

std::string_view Value::string_or(std::string_view otherwise) const {
  return string().value_or(otherwise);
}

std::optional<std::int64_t> Value::integer() const {
  if (type() != Type::integer) return std::nullopt;
  auto result = Access::element(*this).get_int64();
  if (result.error() != simdjson::SUCCESS) return std::nullopt;
  return result.value_unsafe();
}

std::optional<double> Value::number() const {
  if (type() != Type::integer && type() != Type::number) return std::nullopt;
  return Access::element(*this).get_double().value_unsafe();
}

std::optional<bool> Value::boolean() const {
  if (type() != Type::boolean) return std::nullopt;
  return Access::element(*this).get_bool().value_unsafe();
}

std::vector<Value> Value::items() const {
  std::vector<Value> result;
  if (type() != Type::array) return result;
  // Named: a loop over a member of a temporary would read freed memory.
  const dom::array array = Access::element(*this).get_array().value_unsafe();
  for (dom::element item : array) {
    result.push_back(Access::value(item));
  }
  return result;
}

std::vector<std::pair<std::string_view, Value>> Value::members() const {
  std::vector<std::pair<std::string_view, Value>> result;
  if (type() != Type::object) return result;
  const dom::object object = Access::element(*this).get_object().value_unsafe();
  for (dom::key_value_pair member : object) {
    result.emplace_back(member.key, Access::value(member.value));
  }
  return result;
}

std::string Value::dump() const {
  if (!present_) return "null";
  return simdjson::minify(Access::element(*this));
}

struct Document::Impl {
  dom::document document;
};

Document::Document() = default;
Document::~Document() = default;
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;

Result<Value, ParseError> Document::parse(std::string_view text, Padding padding) {
  root_ = {};
  if (!impl_) impl_ = std::make_unique<Impl>();
  std::string repaired;
  if (may_have_surrogates(text)) {
    repaired = without_lone_surrogates(text);
    text = repaired;
    padding = Padding::none;
  }
  if (text.empty()) return Failure{ParseError{"the text is empty"}};
  dom::parser& parser = scratch();
  auto result = parser.parse_into_document(impl_->document, text.data(), text.size(),
                                           padding == Padding::none);
  if (is_about_a_number(result.error())) {
    repaired = without_big_integers(text);
    result = parser.parse_into_document(impl_->document, repaired.data(), repaired.size(), true);
  }
  const simdjson::error_code error = result.error();
  if (error == simdjson::SUCCESS) root_ = Access::value(result.value_unsafe());
  // Do not keep the buffers of one huge text for the life of the process.
  if (parser.capacity() > kept_capacity) parser = dom::parser(largest_text);
  if (error != simdjson::SUCCESS) return Failure{ParseError{simdjson::error_message(error)}};
  return root_;
}

}  // namespace molecule::json
