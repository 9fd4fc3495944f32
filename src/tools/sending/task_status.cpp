#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/json/sanitized.hpp"
#include "base/json/writer.hpp"
#include "base/log.hpp"
#include "base/text/text.hpp"
#include "molecule/mcp/arguments.hpp"
#include "tools/errors.hpp"
#include "tools/peers/choose.hpp"
#include "tools/peers/find_peer.hpp"
#include "tools/results/limits.hpp"
#include "tools/retry_while_busy.hpp"
#include "tools/tool_registry.hpp"

namespace molecule::tools {

namespace {

constexpr std::size_t max_listed = 10;
/// A text of a delegation's row, which a list shows.
constexpr std::size_t max_field_bytes = 400;

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
std::string with_response(json::Value row, std::string_view response, std::size_t offset) {
  json::Writer writer;
  {
    auto o = writer.object();
    for (const auto& [name, value] : row.members()) {
      if (name == "response") continue;
      o.raw(text::sanitize(name), json::dump_sanitized(value, max_field_bytes));
    }
    const std::string clean = text::sanitize(response);
    write_slice(o, "response", clean, slice(clean, offset, max_text_bytes));
  }
  return std::move(writer).take();
}

awaitable<std::string> status_of(platform::Client& client, platform::ActivityPage page,
                                 std::string id, std::size_t offset) {
  const json::Value row = one_delegation(page, id);
  std::string text = row.present() ? json::dump_sanitized(row, max_field_bytes) : not_found(id);
  if (!row["response_preview"].string_or("").ends_with("...")) co_return text;
  auto whole = co_await whole_response(client, id);
  if (!whole.empty()) text = with_response(row, whole, offset);
  co_return text;
}

std::string recent_delegations(const platform::ActivityPage& page) {
  json::Writer writer;
  {
    auto o = writer.object();
    {
      auto list = o.array("delegations");
      for (std::size_t i = 0; i < std::min(page.rows.size(), max_listed); ++i) {
        list.raw(json::dump_sanitized(page.rows[i], max_field_bytes));
      }
    }
    o.field("count", page.rows.size());
  }
  return std::move(writer).take();
}

using Task = workspace::DelegatedTasks::Task;

/// What the inbox knows of the task; its answer is given to this session by that.
awaitable<std::optional<Task>> known_task(Services& services, workspace::Workspace& workspace,
                                          std::string id) {
  std::optional<Task> task;
  if (!services.config.inbox || id.empty()) co_return task;
  const auto look = [&workspace, id] {
    workspace::Inbox& inbox = workspace.inbox;
    const workspace::Database::FailFast fail_fast(inbox.database);
    auto found = inbox.tasks.find(id);
    if (found && found->answer) inbox.leases.lease(found->answer->activity_id);
    return found;
  };
  try {
    task = co_await retry_while_busy(services, look);
  } catch (const workspace::StoreError& error) {
    log::debug("inbox: {}", error.what());
  }
  co_return task;
}

/// The peer has the task in its inbox: a platform may call that completed, with the receipt as the
/// result.
bool is_queued(json::Value row) {
  if (row["status"].string_or("") == "queued") return true;
  json::Document receipt;
  const std::string_view preview = row["response_preview"].string_or("");
  const auto parsed = receipt.parse(preview);
  if (!parsed.ok() || !receipt.root().is_object()) return false;
  const json::Value root = receipt.root();
  return root["status"].string_or("") == "queued" || root["queued"].boolean() == true;
}

std::string from_inbox(const Task& task, std::size_t offset) {
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("delegation_id", task.task_id);
    o.field("workspace_id", task.peer_id);
    if (task.answer) {
      o.field("status", "completed");
      write_slice(o, "response", task.answer->text,
                  slice(task.answer->text, offset, max_text_bytes));
      o.field("activity_id", task.answer->activity_id);
      o.field("note", "The answer is in your inbox: call inbox_pop when you have used it.");
    } else if (task.answered) {
      o.field("status", "completed");
      o.field("note", "The answer came to the inbox and was removed from it.");
    } else {
      o.field("status", "queued");
      o.field("note", "queued: the answer comes to the inbox (wait_for_message)");
    }
  }
  return std::move(writer).take();
}

awaitable<mcp::ToolResult> check_task_status(Services& services, mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  // The task may be null: some hosts write that for an empty text.
  const std::string named(text::trim(arguments.string("workspace_id")));
  const bool no_task = call.arguments()["task_id"].is_null();
  const std::string id(text::trim(no_task ? "" : arguments.string("task_id")));
  const auto offset = static_cast<std::size_t>(arguments.integer("offset", 0, 0, INT32_MAX));
  const workspace::Workspace* source = source_workspace(services, arguments);
  if (auto wrong = arguments.rejection()) co_return std::move(*wrong);
  PeerChoice peer;
  // With one workspace the peer makes no difference.
  if (services.workspaces.several() && source == nullptr && !named.empty()) {
    peer = co_await find_peer(services, named, nullptr);
    if (peer.failure) co_return std::move(*peer.failure);
    if (!peer.problem.empty()) arguments.reject("workspace_id", peer.problem);
  }
  workspace::Workspace& workspace = choose_workspace(services, arguments, peer.id);
  if (auto wrong = rejection(services, arguments, workspace)) co_return std::move(*wrong);
  mcp::ToolResult result;
  const auto task = co_await known_task(services, workspace, id);
  if (task && task->answer) {
    result.text = from_inbox(*task, offset);
    co_return result;
  }
  auto page = co_await workspace.client.delegations();
  const json::Value row = page ? one_delegation(*page, id) : json::Value();
  if (task && (!row.present() || is_queued(row))) {
    result.text = from_inbox(*task, offset);
  } else if (!page) {
    result =
        failure("The state of the delegations is not known", About::own_workspace, page.error());
  } else if (!id.empty()) {
    result.text = co_await status_of(workspace.client, std::move(*page), id, offset);
  } else {
    result.text = recent_delegations(*page);
  }
  co_return result;
}

}  // namespace

void add_task_status_tools(ToolRegistry& tools) {
  tools.add({.name = "check_task_status",
             .description = "A task you gave; empty task_id: recent ones.",
             .input_schema = R"({"type":"object","properties":{"workspace_id":{"type":"string"},)"
                             R"("task_id":{"type":"string"},"offset":{"type":"integer"}},)"
                             R"("required":["workspace_id","task_id"]})",
             .is_json = true,
             .hints = read_only,
             .choice = source_argument},
            check_task_status);
}

}  // namespace molecule::tools
