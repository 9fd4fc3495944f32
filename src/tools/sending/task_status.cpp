#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "base/json/sanitized.hpp"
#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "molecule/mcp/arguments.hpp"
#include "tools/errors.hpp"
#include "tools/peers/choose.hpp"
#include "tools/tool_registry.hpp"

namespace molecule::tools {

namespace {

constexpr std::size_t max_listed = 10;

/// The newest row of one delegation: that of its result, if there is one.
json::Value one_delegation(const platform::ActivityPage& page, std::string_view id) {
  for (const json::Value row : page.rows) {
    if (text::equal_ignoring_case(row["delegation_id"].string_or(""), id)) return row;
  }
  return {};
}

std::string not_found(std::string_view id) {
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("status", "not_found");
    o.field("delegation_id", id);
  }
  return std::move(writer).take();
}

/// The list shows the first 300 bytes of an answer (platform-api.md 5.2); its row has all of it.
/// Empty if that row is not found.
awaitable<std::string> whole_response(platform::Client& client, std::string id) {
  platform::ActivityQuery query;
  query.type = "delegation";
  query.limit = 500;
  auto page = co_await client.activity(std::move(query));
  std::string whole;
  if (!page) co_return whole;
  for (const json::Value row : page->rows) {
    const json::Value body = row["response_body"];
    if (text::equal_ignoring_case(body["delegation_id"].string_or(""), id)) {
      whole = body["text"].string_or("");
      if (!whole.empty()) break;
    }
  }
  co_return whole;
}

/// The row, with the whole `response` added.
std::string with_response(json::Value row, std::string_view response) {
  json::Writer writer;
  {
    auto o = writer.object();
    for (const auto& [name, value] : row.members()) {
      if (name != "response") o.raw(text::sanitize(name), json::dump_sanitized(value));
    }
    o.field("response", text::sanitize(response));
  }
  return std::move(writer).take();
}

awaitable<std::string> status_of(platform::Client& client, platform::ActivityPage page,
                                 std::string id) {
  const json::Value row = one_delegation(page, id);
  std::string text = row.present() ? json::dump_sanitized(row) : not_found(id);
  if (!row["response_preview"].string_or("").ends_with("...")) co_return text;
  auto whole = co_await whole_response(client, id);
  if (!whole.empty()) text = with_response(row, whole);
  co_return text;
}

std::string recent_delegations(const platform::ActivityPage& page) {
  json::Writer writer;
  {
    auto o = writer.object();
    {
      auto list = o.array("delegations");
      for (std::size_t i = 0; i < std::min(page.rows.size(), max_listed); ++i) {
        list.raw(json::dump_sanitized(page.rows[i]));
      }
    }
    o.field("count", page.rows.size());
  }
  return std::move(writer).take();
}

awaitable<mcp::ToolResult> check_task_status(Services& services, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  const std::string peer = arguments.string("workspace_id");
  const std::string argument = arguments.string("task_id");
  workspace::Workspace& workspace =
      choose_workspace(services, arguments, text::lower(text::trim(peer)));
  if (auto wrong = rejection(services, arguments, workspace)) co_return std::move(*wrong);
  const std::string_view id = text::trim(argument);
  auto page = co_await workspace.client.delegations();
  mcp::ToolResult result;
  if (!page) {
    result =
        failure("The state of the delegations is not known", About::own_workspace, page.error());
  } else if (!id.empty()) {
    result.text = co_await status_of(workspace.client, std::move(*page), std::string(id));
  } else {
    result.text = recent_delegations(*page);
  }
  co_return result;
}

}  // namespace

void add_task_status_tools(ToolRegistry& tools) {
  tools.add(
      {.name = "check_task_status",
       .title = "State of a delegation",
       .description = "State and result of a task sent with delegate_task_async.",
       .input_schema =
           R"({"type":"object","properties":{)"
           R"("workspace_id":{"type":"string","description":"The peer's id."},)"
           R"("task_id":{"type":"string","description":"The delegation_id; empty lists recent )"
           R"(ones."}},"required":["workspace_id","task_id"]})",
       .output_schema = any_object,
       .hints = read_only,
       .choice = source_argument},
      check_task_status);
}

}  // namespace molecule::tools
