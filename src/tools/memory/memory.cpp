#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/json/writer.hpp"
#include "base/text/redact.hpp"
#include "base/text/text.hpp"
#include "molecule/mcp/arguments.hpp"
#include "tools/errors.hpp"
#include "tools/peers/choose.hpp"
#include "tools/results/limits.hpp"
#include "tools/results/others_text.hpp"
#include "tools/tool_registry.hpp"

namespace molecule::tools {

namespace {

/// One of the three scopes in the platform's spelling; `otherwise` if none is given.
std::string read_scope(mcp::Arguments& arguments, std::string_view otherwise) {
  std::string given = text::lower(text::trim(arguments.string_or("scope", "")));
  if (given.empty()) given = text::lower(otherwise);
  if (given == "local") return "LOCAL";
  if (given == "team") return "TEAM";
  if (given == "global") return "GLOBAL";
  if (!given.empty()) arguments.reject("scope", "must be LOCAL, TEAM or GLOBAL");
  return {};
}

std::string committed(const platform::Memory& memory, std::string_view scope) {
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("success", true);
    o.field("id", memory.id);
    o.field("scope", memory.scope.empty() ? scope : std::string_view(memory.scope));
  }
  return std::move(writer).take();
}

awaitable<mcp::ToolResult> commit_memory(Services& services, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  const std::string content = arguments.text("content");
  const std::string scope = read_scope(arguments, "LOCAL");
  workspace::Workspace& workspace = choose_workspace(services, arguments);
  if (auto wrong = rejection(services, arguments, workspace)) co_return std::move(*wrong);
  std::string safe = redact_secrets(content);
  auto memory = co_await workspace.client.commit_memory(std::move(safe), scope);
  mcp::ToolResult result;
  if (memory) {
    result.text = committed(*memory, scope);
  } else {
    result = failure("The memory was not stored", About::memory, memory.error());
  }
  co_return result;
}

/// The memories that fit.
struct Recalled {
  std::string lines;
  std::string list = "[]";
  std::size_t shown = 0;
  bool cut = false;
};

/// A memory may have line breaks: its own lines must not look like another one's.
std::string line_of(const platform::Memory& memory, const Slice& part) {
  std::string line = fmt::format("[{}] {}", memory.scope, marked_lines(part.text));
  if (part.next == 0) return line;
  return line + fmt::format(
                    "\n  [Cut: {} of {} bytes; recall_memory with id={} and offset={} shows "
                    "the rest.]",
                    part.next, memory.content.size(), memory.id, part.next);
}

Recalled recalled(std::span<const platform::Memory> memories) {
  Recalled all;
  json::Writer writer;
  {
    auto list = writer.array();
    for (const platform::Memory& memory : memories) {
      const Slice part = slice(memory.content, 0, max_entry_bytes);
      const std::string line = line_of(memory, part);
      const bool fits = all.lines.size() + line.size() <= max_list_bytes &&
                        writer.text().size() + line.size() <= max_list_bytes;
      if (all.shown > 0 && !fits) break;
      if (all.shown > 0) all.lines += '\n';
      all.lines += line;
      auto one = list.object();
      one.field("id", memory.id);
      one.field("scope", memory.scope);
      write_slice(one, "content", memory.content, part);
      ++all.shown;
    }
  }
  all.list = std::move(writer).take();
  return all;
}

/// From the memory number `offset` on.
mcp::ToolResult shown(const std::vector<platform::Memory>& memories, std::size_t offset) {
  const std::size_t skipped = std::min(offset, memories.size());
  const Recalled all = recalled(std::span(memories).subspan(skipped));
  const std::size_t more = memories.size() - skipped - all.shown;
  mcp::ToolResult result;
  result.text = all.shown == 0 ? std::string("No memories found.") : all.lines;
  json::Writer writer;
  {
    auto o = writer.object();
    o.raw("memories", all.list);
    if (more > 0) o.field("more", more);
  }
  result.structured = std::move(writer).take();
  if (more > 0) {
    result.text += fmt::format("\n({} more: ask with offset={}.)", more, skipped + all.shown);
  }
  return result;
}

/// One memory's text, from `offset` on.
mcp::ToolResult only(const std::vector<platform::Memory>& memories, const std::string& id,
                     std::size_t offset) {
  const auto found = std::ranges::find(memories, id, &platform::Memory::id);
  if (found == memories.end()) {
    return {.text = fmt::format("No memory {} is among those found: ask with the query and scope "
                                "with which you saw it.",
                                text::sanitize_name(id)),
            .is_error = true};
  }
  const Slice part = slice(found->content, offset, max_text_bytes);
  mcp::ToolResult result;
  result.text = std::string(part.text);
  if (part.next > 0) {
    result.text += fmt::format("\n[Cut: up to byte {} of {}; ask with offset={}.]", part.next,
                               found->content.size(), part.next);
  }
  json::Writer writer;
  {
    auto o = writer.object();
    auto list = o.array("memories");
    auto one = list.object();
    one.field("id", found->id);
    one.field("scope", found->scope);
    write_slice(one, "content", found->content, part);
  }
  result.structured = std::move(writer).take();
  return result;
}

awaitable<mcp::ToolResult> recall_memory(Services& services, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  const std::string query = arguments.string_or("query", "");
  const std::string scope = read_scope(arguments, "");
  const std::string id(text::trim(arguments.string_or("id", "")));
  const auto offset = static_cast<std::size_t>(arguments.integer("offset", 0, 0, INT32_MAX));
  workspace::Workspace& workspace = choose_workspace(services, arguments);
  if (auto wrong = rejection(services, arguments, workspace)) co_return std::move(*wrong);
  auto memories = co_await workspace.client.recall_memory(query, scope);
  mcp::ToolResult result;
  if (!memories) {
    result = failure("The memories could not be read", About::memory, memories.error());
  } else if (id.empty()) {
    result = shown(*memories, offset);
  } else {
    result = only(*memories, id, offset);
  }
  co_return result;
}

}  // namespace

void add_memory_tools(ToolRegistry& tools) {
  tools.add({.name = "commit_memory",
             .description = "Store a fact for later. GLOBAL: root workspaces only.",
             .input_schema = R"({"type":"object","properties":{"content":{"type":"string"},)"
                             R"("scope":{"type":"string","enum":["LOCAL","TEAM","GLOBAL"]}},)"
                             R"("required":["content"]})",
             .is_json = true,
             .hints = adds,
             .choice = source_argument},
            commit_memory);
  tools.add({.name = "recall_memory",
             .description = "Search stored facts; no query: the newest.",
             .input_schema = R"({"type":"object","properties":{"query":{"type":"string"},)"
                             R"("scope":{"type":"string"},"id":{"type":"string"},)"
                             R"("offset":{"type":"integer"}}})",
             .is_json = true,
             .hints = read_only,
             .choice = source_argument},
            recall_memory);
}

}  // namespace molecule::tools
