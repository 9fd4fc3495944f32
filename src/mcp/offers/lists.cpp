#include "mcp/offers/lists.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/json/writer.hpp"

namespace molecule::mcp::lists {

namespace {

void write_annotations(json::Object& tool, const Annotations& annotations) {
  const auto& [read_only, destructive, idempotent, open_world] = annotations;
  if (!read_only && !destructive && !idempotent && !open_world) return;
  auto hints = tool.object("annotations");
  const auto hint = [&hints](std::string_view name, std::optional<bool> value) {
    if (value) hints.field(name, *value);
  };
  hint("readOnlyHint", annotations.read_only);
  hint("destructiveHint", annotations.destructive);
  hint("idempotentHint", annotations.idempotent);
  hint("openWorldHint", annotations.open_world);
}

void write_text(json::Object& entry, std::string_view name, std::string_view text) {
  if (!text.empty()) entry.field(name, text);
}

void write_title(json::Object& entry, std::string_view title, Revision revision) {
  if (has_titles(revision)) write_text(entry, "title", title);
}

void write(json::Object& entry, const Tool& tool, Revision revision) {
  entry.field("name", tool.name);
  write_title(entry, tool.title, revision);
  entry.field("description", tool.description);
  entry.raw("inputSchema", tool.input_schema);
  if (has_structured_content(revision) && !tool.output_schema.empty()) {
    entry.raw("outputSchema", tool.output_schema);
  }
  if (has_annotations(revision)) write_annotations(entry, tool.annotations);
  if (has_tool_meta(revision) && !tool.meta.empty()) entry.raw("_meta", tool.meta);
}

void write(json::Object& entry, const Resource& resource, Revision revision) {
  entry.field("uri", resource.uri);
  entry.field("name", resource.name);
  write_title(entry, resource.title, revision);
  write_text(entry, "description", resource.description);
  write_text(entry, "mimeType", resource.mime_type);
}

void write(json::Object& entry, const ResourceTemplate& family, Revision revision) {
  entry.field("uriTemplate", family.uri);
  entry.field("name", family.name);
  write_title(entry, family.title, revision);
  write_text(entry, "description", family.description);
  write_text(entry, "mimeType", family.mime_type);
}

void write(json::Object& entry, const Prompt& prompt, Revision revision) {
  entry.field("name", prompt.name);
  write_title(entry, prompt.title, revision);
  write_text(entry, "description", prompt.description);
  if (prompt.arguments.empty()) return;
  auto arguments = entry.array("arguments");
  for (const PromptArgument& argument : prompt.arguments) {
    auto item = arguments.object();
    item.field("name", argument.name);
    write_title(item, argument.title, revision);
    write_text(item, "description", argument.description);
    item.field("required", argument.required);
  }
}

template <class Entry>
std::string list(std::string_view member, const std::vector<Entry>& entries, Page page,
                 Revision revision) {
  json::Writer writer;
  {
    auto result = writer.object();
    const std::size_t end = std::min(page.from + page.size, entries.size());
    {
      auto items = result.array(member);
      for (std::size_t i = page.from; i < end; ++i) {
        auto entry = items.object();
        write(entry, entries[i], revision);
      }
    }
    if (end < entries.size()) result.field("nextCursor", std::to_string(end));
  }
  return std::move(writer).take();
}

}  // namespace

std::optional<Page> read_cursor(json::Value cursor, std::size_t page_size, std::size_t entries) {
  Page page{.from = 0, .size = page_size};
  if (!cursor.present() || cursor.is_null()) return page;
  const std::string_view text = cursor.string_or({});
  if (cursor.is_string() && text.empty()) return page;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, page.from);
  if (error != std::errc() || rest != end) return std::nullopt;
  const bool is_page_start = page.from > 0 && page.from < entries && page.from % page_size == 0;
  return is_page_start ? std::optional(page) : std::nullopt;
}

std::string tools(const ServerInfo& server, Page page, Revision revision) {
  return list("tools", server.tools, page, revision);
}

std::string resources(const ServerInfo& server, Page page, Revision revision) {
  return list("resources", server.resources, page, revision);
}

std::string resource_templates(const ServerInfo& server, Page page, Revision revision) {
  return list("resourceTemplates", server.resource_templates, page, revision);
}

std::string prompts(const ServerInfo& server, Page page, Revision revision) {
  return list("prompts", server.prompts, page, revision);
}

}  // namespace molecule::mcp::lists
