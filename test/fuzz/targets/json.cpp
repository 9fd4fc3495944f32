#include "base/json/reader.hpp"

#include <string>

#include "base/text/text.hpp"
#include "fuzz/targets.hpp"

namespace molecule::fuzz {

namespace {

namespace json = molecule::json;

/// Calls every accessor on every value: each must accept any type.
void walk(const json::Value& value) {
  const bool typed = value.string() || value.number() || value.boolean() || value.is_null() ||
                     value.is_array() || value.is_object();
  require(typed && value.present(), "a value has a type");
  require(!value["\xff"]["x"].present(), "no key is invalid UTF-8");
  if (const auto string = value.string()) require(text::valid_utf8(*string), "strings are UTF-8");
  for (const json::Value& item : value.items()) walk(item);
  for (const auto& [name, member] : value.members()) {
    require(value[name].present(), "a member is found by its name");
    walk(member);
  }
}

void check_raw_members(std::string_view input, const json::Value& root) {
  for (const auto& [name, member] : root.members()) {
    const auto raw = json::raw_member(input, name);
    require(raw.has_value(), "a member has a spelling");
    json::Document document;
    require(document.parse(*raw).ok(), "a spelling is JSON");
    require(document.root().dump() == root[name].dump(), "a spelling is its value's");
  }
}

}  // namespace

void json(std::string_view input) {
  json::Document document;
  const bool ok = document.parse(input).ok();
  json::Document padded;
  const std::string text = std::string(input) + std::string(64, '"');
  const std::string_view same = std::string_view(text).substr(0, input.size());
  require(padded.parse(same, json::Document::Padding::present).ok() == ok,
          "parsing in place decides the same");
  if (!ok) {
    require(!document.root().present(), "a failed parse leaves nothing");
    return;
  }
  walk(document.root());
  const std::string once = document.root().dump();
  require(once == padded.root().dump(), "parsing in place reads the same");
  require(once.find('\n') == std::string::npos && text::valid_utf8(once), "a dump is one line");
  require(padded.parse(once).ok(), "a dump is JSON");
  require(padded.root().dump() == once, "a dump is stable");
  check_raw_members(input, document.root());
}

}  // namespace molecule::fuzz
