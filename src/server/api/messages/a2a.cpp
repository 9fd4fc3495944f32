#include "server/api/messages/a2a.hpp"

#include <algorithm>
#include <array>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"
#include "server/access/rules.hpp"
#include "server/api/input.hpp"
#include "server/api/limits/quotas.hpp"
#include "server/api/messages/activity_rows.hpp"
#include "server/api/messages/delegation.hpp"
#include "server/api/messages/envelope.hpp"
#include "server/api/messages/message_text.hpp"
#include "server/api/workspaces/budget.hpp"
#include "server/api/workspaces/workspace_rows.hpp"

namespace molecule::server {

namespace {

Reply removed_reply(const WorkspaceRow& target) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("error", "workspace removed");
    out.field("id", target.id);
  }
  return json_reply(410, std::move(writer).take());
}

Reply no_url_reply(const WorkspaceRow& target) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("error", "workspace has no URL");
    out.field("status", target.status);
    out.field("hint", "it has not registered with delivery_mode \"poll\" yet");
  }
  return json_reply(503, std::move(writer).take());
}

/// The refusal if the target cannot take any message.
std::optional<Reply> target_refusal(const std::optional<WorkspaceRow>& target) {
  if (!target) return error_reply(404, "workspace not found");
  if (target->status == "removed") return removed_reply(*target);
  return std::nullopt;
}

std::optional<Reply> mode_refusal(const WorkspaceRow& target) {
  if (target.delivery_mode == "poll") return std::nullopt;
  if (!target.url || target.url->empty()) return no_url_reply(target);
  return error_reply(502,
                     "this platform delivers to polling workspaces only: the target must "
                     "register with delivery_mode \"poll\"");
}

/// The methods that mark the platform's own rows: a message with one of these would be mistaken for
/// a file, for the answer to a delegation, or for something this workspace said itself.
constexpr std::array<std::string_view, 5> reserved_methods = {
    "broadcast", "chat_upload_receive", "delegate_result", "notify", "request_update"};

std::optional<Reply> method_refusal(std::string_view method) {
  // Readers trim it (some by Unicode's blanks), drop what is invisible, or ignore case: whatever
  // some of them would take for a reserved name is one. All reserved names are visible ASCII.
  std::string read;
  for (const char c : method) {
    if (c > ' ' && c < 127) read += c;
  }
  read = text::lower(read);
  if (std::ranges::find(reserved_methods, read) == reserved_methods.end()) return std::nullopt;
  return error_reply(400, "the method \"" + std::string(method) +
                              "\" is reserved for the platform: send \"message/send\"");
}

/// A workspace that may not delegate may still answer: what it answers must have come from there.
awaitable<bool> may_send(Context& context, const WorkspaceRow& sender, std::string_view target,
                         std::string_view in_reply_to) {
  if (sender.can_delegate || sender.id == target) co_return true;
  if (in_reply_to.empty()) co_return false;
  store::Rows row = co_await context.store.query(
      "SELECT 1 FROM activity WHERE workspace_id = $1 AND activity_type = 'a2a_receive'"
      " AND message_id = $2 AND source_id = $3",
      sender.id, in_reply_to, target);
  co_return row.next();
}

Reply queued_reply(std::string_view method) {
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("delivery_mode", "poll");
    out.field("method", method);
    out.field("status", "queued");
  }
  Reply reply = json_reply(200, std::move(writer).take());
  reply.content_type = "application/json";
  return reply;
}

std::string said_in(std::string_view envelope) {
  json::Document document;
  const auto parsed = document.parse(envelope);
  return parsed ? text_of(parsed.value()["params"]["message"]["parts"].items()) : std::string();
}

/// platform-api.md 1.7. False if one of them does not exist.
awaitable<bool> may_reach(Context& context, const WorkspacePair& pair) {
  if (!pair.first || !pair.second) co_return false;
  const TreePlace caller{.id = pair.first->id, .parent_id = pair.first->parent_id};
  const TreePlace target{.id = pair.second->id, .parent_id = pair.second->parent_id};
  co_return co_await can_communicate(context.store, caller, target);
}

/// To the person's other browsers (page.md 2.5).
void announce_user_message(Context& context, const Activity& row) {
  if (!context.events.has_listeners()) return;
  json::Document document;
  const auto parsed = document.parse(*row.request_body);
  if (!parsed) return;
  const auto parts = parsed.value()["params"]["message"]["parts"].items();
  json::Writer writer;
  {
    auto out = writer.object();
    out.field("message", text_of(parts));
    out.field("messageId", row.message_id.value_or(""));
    out.field("workspace_id", row.workspace_id);
    write_attachments(out, parts);
  }
  context.events.broadcast("USER_MESSAGE", row.workspace_id, std::move(writer).take());
}

}  // namespace

awaitable<Reply> post_a2a(Context& context, Request request) {
  const std::optional<std::string> caller = request.caller.workspace();
  const std::optional<std::string> target = parse_uuid(request.args.at(0));
  if (!target && !caller) co_return error_reply(400, "invalid workspace ID");
  co_return co_await deliver(context, caller, target.value_or(""), request.body);
}

awaitable<Reply> post_inbound(Context& context, Request request) {
  const auto target = path_workspace(request);
  if (!target) co_return target.error();
  co_return co_await deliver(context, std::nullopt, *target, request.body);
}

awaitable<Reply> deliver(Context& context, const std::optional<std::string>& caller,
                         std::string_view target_id, std::string_view body) {
  const WorkspacePair pair = co_await find_workspaces(context, caller.value_or(""), target_id);
  bool may = true;
  if (caller) may = co_await may_reach(context, pair);
  if (!may) {
    co_return error_reply(403, "access denied: workspaces cannot communicate per hierarchy rules");
  }
  const std::optional<WorkspaceRow>& target = pair.second;
  if (auto refusal = target_refusal(target)) co_return *std::move(refusal);
  if (target->has_budget) {
    auto refusal = co_await budget_refusal(context, *target);
    if (refusal) co_return *std::move(refusal);
  }
  Result<Envelope, Reply> envelope = normalise_envelope(body, caller ? "" : target_id);
  if (!envelope) co_return std::move(envelope.error());
  if (auto refusal = method_refusal(envelope->method)) co_return *std::move(refusal);
  if (auto refusal = mode_refusal(*target)) co_return *std::move(refusal);

  const std::string& shown = target->name.empty() ? target->id : target->name;
  Activity row;
  row.workspace_id = target->id;
  row.type = "a2a_receive";
  row.source_id = caller;
  row.target_id = target->id;
  row.method = envelope->method;
  row.summary = envelope->method + " \xE2\x86\x92 " + shown + " (queued for poll)";
  row.request_body = std::move(envelope->text);
  row.message_id = std::move(envelope->message_id);
  if (caller) may = co_await may_send(context, *pair.first, target->id, envelope->in_reply_to);
  if (!may) co_return error_reply(403, "tool call failed");
  auto full = co_await refuse_message(context, row, caller);
  if (full) co_return *std::move(full);
  const std::int64_t inserted = co_await insert_activity(context, row);
  if (inserted == 0) co_return queued_reply(envelope->method);
  broadcast_activity(context, row);
  if (caller) {
    DelegationAnswer answer{.workspace_id = target->id,
                            .peer_id = *caller,
                            .in_reply_to = envelope->in_reply_to,
                            .text = said_in(*row.request_body)};
    co_await complete_by_answer(context, std::move(answer));
  } else {
    announce_user_message(context, row);
  }
  co_return queued_reply(envelope->method);
}

}  // namespace molecule::server
