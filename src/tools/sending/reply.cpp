#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "base/text/text.hpp"
#include "base/uuid.hpp"
#include "molecule/mcp/arguments.hpp"
#include "tools/errors.hpp"
#include "tools/inbox/lease_renewal.hpp"
#include "tools/inbox/message_ids.hpp"
#include "tools/inbox/open_messages.hpp"
#include "tools/results/limits.hpp"
#include "tools/results/others_text.hpp"
#include "tools/retry_while_busy.hpp"
#include "tools/shared_calls.hpp"
#include "tools/tool_registry.hpp"

namespace molecule::tools {

namespace {

constexpr const char* no_such_message =
    "Nothing was sent: there is no such message in the inbox. It may have been answered and "
    "removed already; inbox_peek shows what waits.";
constexpr const char* under_way =
    "Nothing was sent by this call: an answer to this message is being sent already by another "
    "call of this session. Wait for that one's result.";
constexpr const char* taken =
    "Nothing was sent: another session of this workspace is working on this message. It comes back "
    "to the others if that session ends without an answer.";

/// The messages that this session is answering: a lease distinguishes only sessions.
using Answering = std::set<std::string>;

/// One of them until the end of its scope. Lives in the handler's frame.
class Answer {
 public:
  Answer(std::shared_ptr<Answering> all, const std::string& activity_id)
      : all_(std::move(all)), entry_(all_->insert(activity_id)) {}
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;
  ~Answer() {
    if (alone()) all_->erase(entry_.first);
  }
  /// True if no other call is answering the message.
  bool alone() const { return entry_.second; }

 private:
  std::shared_ptr<Answering> all_;
  std::pair<Answering::iterator, bool> entry_;
};

mcp::ToolResult refused(std::string text) {
  return {.text = std::move(text), .is_error = true};
}

/// Why this message cannot be answered with these arguments; empty if it can.
std::string problem(const workspace::Workspaces::Arrival& arrival, bool has_files) {
  if (!arrival.workspace->in_use()) {
    return "Nothing was sent: the workspace that received the message cannot be used: " +
           arrival.workspace->state().reason;
  }
  if (arrival.message.kind == "delegation_result") {
    return "Nothing was sent: this is the answer to a task of yours and needs none. Call "
           "inbox_pop when you have used it.";
  }
  if (arrival.message.kind == "request_update") {
    return "Nothing was sent: this tells of a request. Answer it, if it needs an answer, with "
           "respond_request and its request_id; then call inbox_pop.";
  }
  if (arrival.message.kind == "canvas_user") return {};
  if (arrival.message.peer_id.empty()) {
    return "Nothing was sent: the platform does not say which peer wrote this message.";
  }
  if (has_files) {
    return "Nothing was sent: files can be sent to the user only. Leave out the attachments.";
  }
  return {};
}

/// The answer is out: a message that cannot be removed must not make it look otherwise.
awaitable<std::string> remove(Services& services, std::string activity_id) {
  std::string outcome = " The message was removed from the inbox.";
  try {
    co_await remove_message(services, std::move(activity_id));
  } catch (const workspace::StoreError&) {
    outcome =
        " The message could not be removed from the inbox: do not answer it again, call "
        "inbox_pop later.";
  }
  co_return outcome;
}

/// Leases the message to this session, so that no two answer it; why not, if another one has it.
std::string hold(workspace::Inbox& inbox, const std::string& activity_id) {
  const workspace::Database::FailFast fail_fast(inbox.database);
  if (inbox.leases.lease(activity_id)) return {};
  return inbox.messages.find(activity_id) ? taken : no_such_message;
}

/// A second try, by any session, is the same message. A handler's answer is the daemon's, whatever
/// its words: a turn that is repeated after a crash may find others.
std::string answer_id(workspace::Workspace& workspace, const workspace::Message& message,
                      std::string_view content) {
  if (workspace.inbox.sessions.guest()) return workspace::handler_answer_id(message.activity_id);
  return derived_uuid(text::lower(message.activity_id), content);
}

awaitable<mcp::ToolResult> answer_user(workspace::Workspace& workspace, workspace::Message message,
                                       Note note) {
  std::string id = answer_id(workspace, message, content_of(note));
  note.in_reply_to = message.message_id;
  return send_to_user(workspace, std::move(note), std::move(id));
}

awaitable<mcp::ToolResult> answer_peer(Services& services, workspace::Workspace& workspace,
                                       workspace::Message message, std::string text,
                                       mcp::Call& call) {
  Outgoing outgoing{.peer = message.peer_id,
                    .text = text,
                    .message_id = answer_id(workspace, message, text),
                    .in_reply_to = message.message_id,
                    .hops = std::max(message.hops, 0) + 1};
  auto outcome = co_await send_to_peer(services, workspace, std::move(outgoing), call);
  mcp::ToolResult result;
  if (!outcome) {
    result = failure(fmt::format("The answer to {} is not known to be sent", message.peer_id),
                     About::reply, outcome.error());
  } else if (outcome->failed) {
    result = refused(fmt::format("The peer {} received the answer and said that it failed: {}",
                                 message.peer_id,
                                 marked_lines(slice(outcome->text, 0, max_entry_bytes).text)));
  } else if (outcome->queued || outcome->text.empty()) {
    result.text = fmt::format("The answer was sent to {}.", message.peer_id);
  } else {
    result.text = fmt::format(
        "The answer was sent to {}, which said: {}\n", message.peer_id,
        marked_lines(beginning(outcome->text, max_text_bytes, "Ask the peer for the rest.")));
  }
  co_return result;
}

/// From the workspace that received the message, to its sender.
awaitable<mcp::ToolResult> send_reply(Services& services, workspace::Workspaces::Arrival arrival,
                                      Note note, mcp::Call& call) {
  mcp::ToolResult result;
  std::string why = problem(arrival, !note.paths.empty());
  const auto hold_it = [&arrival] {
    return hold(arrival.workspace->inbox, arrival.message.activity_id);
  };
  if (why.empty()) why = co_await retry_while_busy(services, hold_it);
  if (!why.empty()) {
    result = refused(std::move(why));
    co_return result;
  }
  const LeaseRenewal renewal(services);
  if (arrival.message.kind == "canvas_user") {
    result = co_await answer_user(*arrival.workspace, arrival.message, std::move(note));
  } else {
    result = co_await answer_peer(services, *arrival.workspace, arrival.message, note.text, call);
  }
  if (!result.is_error) {
    auto removed = co_await remove(services, arrival.message.activity_id);
    result.text += removed;
  }
  co_return result;
}

/// What else the agent should know.
void add_notes(Services& services, mcp::ToolResult& result) {
  for (const std::string& note : {services.workspaces.out_of_use(), taken_over(services)}) {
    if (!note.empty()) result.text += '\n' + note;
  }
}

awaitable<mcp::ToolResult> reply(Services& services, std::shared_ptr<Answering> answering,
                                 mcp::Call& call) {
  mcp::Arguments arguments(call.arguments());
  const std::string activity_id = message_id(arguments.text("activity_id"));
  Note note;
  note.text = arguments.text("text");
  note.paths = arguments.strings("attachments");
  if (auto wrong = arguments.rejection()) co_return std::move(*wrong);
  mcp::ToolResult result;
  const auto look = [&services, activity_id] {
    return services.workspaces.find_message(activity_id);
  };
  try {
    auto arrival = co_await retry_while_busy(services, look);
    if (!arrival) {
      result = refused(no_such_message);
      add_notes(services, result);
      co_return result;
    }
    const Answer answer(std::move(answering), arrival->message.activity_id);
    if (answer.alone()) {
      result = co_await send_reply(services, std::move(*arrival), std::move(note), call);
    } else {
      result = refused(under_way);
    }
  } catch (const workspace::StoreError& error) {
    result = failure("Nothing was sent", error);
  }
  add_notes(services, result);
  co_return result;
}

}  // namespace

void add_reply_tools(ToolRegistry& tools) {
  tools.add(
      {.name = "reply",
       .description = "Answer a message, whoever wrote it; it is then removed. A delegation_result "
                      "(it has a task_id) needs no reply: inbox_pop it when used.",
       .input_schema = R"({"type":"object","properties":{"activity_id":{"type":"string"},)"
                       R"("text":{"type":"string"},"attachments":{"type":"array",)"
                       R"("items":{"type":"string"},"description":"absolute paths; user only"}},)"
                       R"("required":["activity_id","text"]})",
       .hints = sends,
       .meta = always_loaded},
      std::make_shared<Answering>(), reply);
}

}  // namespace molecule::tools
