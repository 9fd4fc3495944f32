#include "cli/install/json_edit.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "cli/install/json_scan.hpp"

namespace molecule::cli {

namespace {

const JsonNode* child(const JsonNode& node, std::string_view key) {
  if (node.kind != JsonNode::Kind::object) return nullptr;
  const auto found = std::ranges::find(node.children, key, &JsonNode::key);
  return found == node.children.end() ? nullptr : &*found;
}

const JsonNode* at(const JsonNode& root, std::span<const std::string> path) {
  const JsonNode* node = &root;
  for (const std::string& key : path) {
    if (node != nullptr) node = child(*node, key);
  }
  return node;
}

/// `json` inside objects of these names.
std::string wrapped(std::span<const std::string> names, std::string_view json) {
  std::string out(json);
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    out = "{" + json::quoted(*name) + ":" + out + "}";
  }
  return out;
}

}  // namespace

Result<JsonEdit, std::string> JsonEdit::parse(std::string text, JsonDialect dialect) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) {
    return Failure{std::string("line 1: a byte order mark stands before it")};
  }
  if (!text::valid_utf8(text)) return Failure{std::string("it is not UTF-8")};
  if (text::trim(text).empty()) text = "{}\n";
  auto root = scan_json(text, dialect);
  if (!root.ok()) return Failure{std::move(root.error())};
  if (root->kind != JsonNode::Kind::object) return Failure{std::string("it is no object")};
  return JsonEdit(std::move(text), dialect);
}

JsonNode JsonEdit::tree() const {
  return scan_json(text_, dialect_).value();
}

std::optional<std::string> JsonEdit::get(const Path& path) const {
  const JsonNode root = tree();
  const JsonNode* node = at(root, path);
  if (node == nullptr) return std::nullopt;
  return compact_json(text_, *node);
}

void JsonEdit::splice(std::size_t begin, std::size_t end, std::string_view replacement) {
  text_.replace(begin, end - begin, replacement);
}

/// What one level is indented by: as the first member of the file is.
std::string JsonEdit::unit() const {
  const JsonNode root = tree();
  if (!root.children.empty()) {
    std::string indent = indent_of(root.children.front().key_begin);
    if (!indent.empty()) return indent;
  }
  return "  ";
}

/// The blanks at the beginning of the line.
std::string JsonEdit::indent_of(std::size_t position) const {
  const std::size_t line = text_.rfind('\n', position == 0 ? 0 : position - 1);
  const std::size_t begin = line == std::string::npos ? 0 : line + 1;
  const std::size_t end = text_.find_first_not_of(" \t", begin);
  return text_.substr(begin, std::min(end, text_.size()) - begin);
}

/// At the end of an object or array; `key` is empty for an array.
void JsonEdit::insert(const JsonNode& container, std::string_view key, std::string_view json) {
  const std::string label = key.empty() ? std::string() : json::quoted(key) + ": ";
  const std::string_view inside =
      std::string_view(text_).substr(container.begin, container.end - container.begin);
  const bool one_line = inside.find('\n') == std::string_view::npos;
  if (!container.children.empty() && one_line) {
    const std::size_t last = container.children.back().end;
    splice(last, last, ", " + label + std::string(json));
    return;
  }
  const std::string own_indent = indent_of(container.begin);
  const std::string step = unit();
  const std::string indent = container.children.empty()
                                 ? own_indent + step
                                 : indent_of(key.empty() ? container.children.back().begin
                                                         : container.children.back().key_begin);
  const std::string added = "\n" + indent + label + spread_json(json, indent, step);
  // After the comments that follow the last one, which may be about it.
  const std::size_t close = container.end - 1;
  std::size_t place = close;
  while (place > container.tail &&
         std::string_view(" \t\r\n").find(text_[place - 1]) != std::string_view::npos) {
    --place;
  }
  const bool closes_own_line =
      std::string_view(text_).substr(place, close - place).find('\n') != std::string_view::npos;
  splice(place, closes_own_line ? place : close,
         added + (closes_own_line ? std::string() : "\n" + own_indent));
  if (container.children.empty() || container.trailing_comma) return;
  const std::size_t last = container.children.back().end;
  splice(last, last, ",");
}

bool JsonEdit::set(const Path& path, std::string_view json) {
  const JsonNode root = tree();
  const JsonNode* node = &root;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (node->kind != JsonNode::Kind::object) return false;
    const JsonNode* next = child(*node, path[i]);
    if (next == nullptr) {
      const auto rest = std::span(path).subspan(i + 1);
      const JsonNode& container = *node;
      insert(container, path[i], wrapped(rest, json));
      return true;
    }
    node = next;
  }
  if (compact_json(text_, *node) == json) return true;
  splice(node->begin, node->end, spread_json(json, indent_of(node->key_begin), unit()));
  return true;
}

bool JsonEdit::append(const Path& path, std::string_view json) {
  const JsonNode root = tree();
  const JsonNode* node = at(root, path);
  if (node == nullptr) return set(path, "[" + std::string(json) + "]");
  if (node->kind != JsonNode::Kind::array) return false;
  const JsonNode& container = *node;
  insert(container, "", json);
  return true;
}

/// One child with its comma and, if it stands there alone, its lines.
void JsonEdit::cut(const JsonNode& container, std::size_t index) {
  const JsonNode& gone = container.children[index];
  const bool in_object = container.kind == JsonNode::Kind::object;
  std::size_t begin = in_object ? gone.key_begin : gone.begin;
  std::size_t end = gone.end;
  const std::size_t after = skip_blanks(text_, end);
  const bool comma = text_[after] == ',';
  if (comma && text_.find_first_not_of(" \t\r\n", end) == after) end = after + 1;
  const std::size_t line = text_.find_last_not_of(" \t", begin - 1);
  if (line != std::string::npos && text_[line] == '\n') begin = line;
  splice(begin, end, "");
  if (comma && end != after + 1) {
    // A comment stands between it and its comma: only the comma goes as well.
    const std::size_t left = after - (end - begin);
    splice(left, left + 1, "");
  }
  if (!comma && index > 0) {
    const std::size_t before = skip_blanks(text_, container.children[index - 1].end);
    if (text_[before] == ',') splice(before, before + 1, "");
  }
}

void JsonEdit::remove(const Path& path) {
  const JsonNode root = tree();
  const auto parent_path = std::span(path).first(path.size() - 1);
  const JsonNode* parent = at(root, parent_path);
  const JsonNode* node = parent == nullptr ? nullptr : child(*parent, path.back());
  if (node == nullptr) return;
  const JsonNode& container = *parent;
  cut(container, static_cast<std::size_t>(node - parent->children.data()));
}

void JsonEdit::remove_items(const Path& path,
                            const std::function<bool(const std::string&)>& unwanted) {
  for (bool again = true; again;) {
    again = false;
    const JsonNode root = tree();
    const JsonNode* node = at(root, path);
    if (node == nullptr || node->kind != JsonNode::Kind::array) return;
    for (std::size_t i = node->children.size(); i > 0 && !again; --i) {
      if (!unwanted(compact_json(text_, node->children[i - 1]))) continue;
      const JsonNode& container = *node;
      cut(container, i - 1);
      again = true;
    }
  }
}

}  // namespace molecule::cli
