#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/json/writer.hpp"
#include "base/text/redact.hpp"
#include "base/text/text.hpp"
#include "molecule/mcp/arguments.hpp"
#include "tools/errors.hpp"
#include "tools/peers/choose.hpp"
#include "tools/tool_registry.hpp"

namespace molecule::tools {

namespace {

/// One of the three scopes in the platform's spelling; `otherwise` if none is given.
std::string read_scope(mcp::Arguments& arguments, std::string_view otherwise) {
  const std::string given = text::lower(text::trim(arguments.string_or("scope", otherwise)));
  if (given == "local") return "LOCAL";
  if (given == "team") return "TEAM";
  if (given == "global") return "GLOBAL";
  if (!given.empty() || !otherwise.empty()) {
    arguments.reject("scope", "must be LOCAL, TEAM or GLOBAL");
  }
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

std::string lines(const std::vector<platform::Memory>& memories) {
  if (memories.empty()) return "No memories found.";
  std::string text;
  for (const platform::Memory& memory : memories) {
    if (!text.empty()) text += '\n';
    text += fmt::format("[{}] {}", memory.scope, memory.content);
  }
  return text;
}

std::string structured(const std::vector<platform::Memory>& memories) {
  json::Writer writer;
  {
    auto o = writer.object();
    auto list = o.array("memories");
    for (const platform::Memory& memory : memories) {
      auto one = list.object();
      one.field("id", memory.id);
      one.field("scope", memory.scope);
      one.field("content", memory.content);
    }
  }
  return std::move(writer).take();
}

awaitable<mcp::ToolResult> recall_memory(Services& services, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  const std::string query = arguments.string_or("query", "");
  const std::string scope = read_scope(arguments, "");
  workspace::Workspace& workspace = choose_workspace(services, arguments);
  if (auto wrong = rejection(services, arguments, workspace)) co_return std::move(*wrong);
  auto memories = co_await workspace.client.recall_memory(query, scope);
  mcp::ToolResult result;
  if (memories) {
    result.text = lines(*memories);
    result.structured = structured(*memories);
  } else {
    result = failure("The memories could not be read", About::memory, memories.error());
  }
  co_return result;
}

}  // namespace

void add_memory_tools(ToolRegistry& tools) {
  tools.add(
      {.name = "commit_memory",
       .title = "Remember",
       .description = "Store a fact on the platform for later: for yourself (LOCAL), parent and "
                      "siblings (TEAM) or everyone (GLOBAL).",
       .input_schema =
           R"({"type":"object","properties":{"content":{"type":"string"},)"
           R"("scope":{"type":"string","enum":["LOCAL","TEAM","GLOBAL"],"default":"LOCAL",)"
           R"("description":"GLOBAL only for root workspaces."}},"required":["content"]})",
       .output_schema = R"({"type":"object","properties":{"success":{"type":"boolean"},)"
                        R"("id":{"type":"string"},"scope":{"type":"string"}},)"
                        R"("required":["success","id","scope"]})",
       .hints = adds,
       .choice = source_argument},
      commit_memory);
  tools.add(
      {.name = "recall_memory",
       .title = "Recall",
       .description = "Search stored memories.",
       .input_schema =
           R"({"type":"object","properties":{)"
           R"("query":{"type":"string","description":"Words to look for; empty: the newest."},)"
           R"("scope":{"type":"string","enum":["LOCAL","TEAM","GLOBAL",""]}}})",
       .output_schema =
           R"({"type":"object","properties":{"memories":{"type":"array","items":{)"
           R"("type":"object","properties":{"id":{"type":"string"},"scope":{"type":"string"},)"
           R"("content":{"type":"string"}},"required":["scope","content"]}}},)"
           R"("required":["memories"]})",
       .hints = read_only,
       .choice = source_argument},
      recall_memory);
}

}  // namespace molecule::tools
