#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "base/async/backoff.hpp"
#include "base/json/writer.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/text/text.hpp"
#include "molecule/mcp/arguments.hpp"
#include "tools/errors.hpp"
#include "tools/inbox/lease_renewal.hpp"
#include "tools/peers/choose.hpp"
#include "tools/peers/find_peer.hpp"
#include "tools/progress.hpp"
#include "tools/results/limits.hpp"
#include "tools/results/others_text.hpp"
#include "tools/retry_while_busy.hpp"
#include "tools/sending/delegation_keys.hpp"
#include "tools/sending/delegations.hpp"
#include "tools/shared_calls.hpp"
#include "tools/tool_registry.hpp"

namespace molecule::tools {

namespace {

using platform::Errc;

constexpr int max_tries = 5;

/// A call that gives a peer a task.
struct Order {
  std::string peer;
  std::string task;
  workspace::Workspace* source = nullptr;
  /// The call must not run: its result.
  std::optional<mcp::ToolResult> refusal = std::nullopt;
};

/// Reads the arguments that both tools take.
awaitable<Order> read_order(Services& services, json::Value given) {
  mcp::Arguments arguments(given);
  Order order;
  const std::string named = arguments.text("workspace_id");
  order.task = arguments.text("task");
  const workspace::Workspace* source = source_workspace(services, arguments);
  order.refusal = arguments.rejection();
  if (order.refusal) co_return order;
  auto peer = co_await find_peer(services, named, source);
  if (!peer.problem.empty()) arguments.reject("workspace_id", peer.problem);
  order.peer = std::move(peer.id);
  order.source = &choose_workspace(services, arguments, order.peer);
  if (order.peer == order.source->id()) {
    arguments.reject("workspace_id",
                     "is your own workspace: a task cannot be delegated to yourself");
  }
  order.refusal =
      peer.failure ? std::move(peer.failure) : rejection(services, arguments, *order.source);
  co_return order;
}

awaitable<void> send_report(platform::Client& platform, platform::ActivityReport report) {
  auto done = co_await platform.report_activity(std::move(report));
  if (!done) log::debug("an activity report was not taken: {}", done.error().message);
}

/// Runs beside the call, so that it neither delays nor fails the answer.
void report(Services& services, workspace::Workspace& workspace, const std::string& peer,
            std::string summary, std::string status, std::string error_detail = {}) {
  platform::ActivityReport entry{.activity_type = "a2a_send",
                                 .method = "message/send",
                                 .summary = std::move(summary),
                                 .target_id = peer,
                                 .status = std::move(status),
                                 .error_detail = std::move(error_detail)};
  services.tasks.spawn("report_activity", send_report(workspace.client, std::move(entry)));
}

bool is_transport(Errc code) {
  return code == Errc::unreachable || code == Errc::timeout || code == Errc::connection_lost;
}

/// The peer may still be working on it. A platform without messageIds would do the work twice.
bool may_be_at_work(const platform::Error& error) {
  return error.code == Errc::timeout && error.may_have_arrived;
}

/// Tries again if the connection failed, always with the same messageId, by which the receiver
/// recognizes a repetition, so that the work is not done twice.
awaitable<platform::Outcome<platform::A2aReply>> send_with_retries(Services& services,
                                                                   workspace::Workspace& workspace,
                                                                   Outgoing outgoing, Warn warn) {
  const workspace::Timing& timing = services.config.timing;
  const Clock::time_point deadline = services.clock.now() + timing.delegation;
  Backoff backoff(timing.delegation_min_retry, timing.delegation_max_retry);
  bool may_have_arrived = false;
  for (int tries = 1;; ++tries) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - services.clock.now());
    auto outcome = co_await workspace.client.send_message(
        outgoing.peer, outgoing.message_id, outgoing.text,
        std::min<std::chrono::milliseconds>(timing.peer_answer, left), outgoing.in_reply_to,
        outgoing.hops);
    if (outcome || !is_transport(outcome.error().code)) co_return outcome;
    may_have_arrived = may_have_arrived || outcome.error().may_have_arrived;
    const std::chrono::milliseconds pause = backoff.next(random_unit());
    if (may_be_at_work(outcome.error()) || tries == max_tries ||
        services.clock.now() + pause >= deadline) {
      outcome.error().may_have_arrived = may_have_arrived;
      outcome.error().message += fmt::format(" ({} {})", tries, tries == 1 ? "try" : "tries");
      co_return outcome;
    }
    const double seconds = std::chrono::duration<double>(pause).count();
    warn(fmt::format("try {} of {} failed, the next one comes in {:.1f} s: {}", tries, max_tries,
                     seconds, outcome.error().message));
    co_await sleep_for(services.clock, pause);
  }
}

/// What the peer answered at once. The whole of a long answer is in the inbox, if there is one.
std::string answer_text(const std::string& peer, const Delegations::Task& task) {
  const std::string& text = task.outcome->value().text;
  if (text.empty()) return fmt::format("The peer {} answered without a text.", peer);
  const std::string rest =
      task.activity_id.empty()
          ? std::string("Ask the peer for the rest, or for less.")
          : fmt::format(
                "inbox_peek with activity_id={} and offset={} shows the rest; call inbox_pop "
                "when you have used it.",
                task.activity_id, slice(text, 0, max_answer_bytes).next);
  return beginning(text, max_answer_bytes, rest);
}

mcp::ToolResult answer_of(const std::string& peer, const Delegations::Task& task) {
  const platform::Outcome<platform::A2aReply>& outcome = *task.outcome;
  if (!outcome) {
    return failure(fmt::format("Delegation to {} failed", peer), About::peer, outcome.error());
  }
  mcp::ToolResult result;
  if (outcome->queued) {
    result.text = fmt::format(
        "Queued: {} takes tasks from its inbox and has not answered yet. Its answer will arrive "
        "in your inbox (wait_for_message), with task_id {} if the peer says what it answers. "
        "Do not send the task again.",
        peer, task.message_id);
  } else if (outcome->failed) {
    result.text = fmt::format(
        "The peer {} received the task and answered with an error: {}\nChange the task or choose "
        "another peer (list_peers); the same task will probably fail again.",
        peer, marked_lines(slice(outcome->text, 0, max_entry_bytes).text));
    result.is_error = true;
  } else {
    result.text = answer_text(peer, task);
  }
  return result;
}

void report_end(Services& services, workspace::Workspace& workspace, const std::string& peer,
                const platform::Outcome<platform::A2aReply>& outcome) {
  if (!outcome) {
    report(services, workspace, peer, fmt::format("Delegation to {} failed", peer), "error",
           outcome.error().message);
  } else if (outcome->failed) {
    report(services, workspace, peer, fmt::format("{} answered with an error", peer), "error",
           outcome->text);
  } else if (outcome->queued) {
    report(services, workspace, peer, fmt::format("{} has the task in its inbox", peer), "ok");
  } else {
    report(services, workspace, peer, fmt::format("{} answered", peer), "ok");
  }
}

/// The call that waits for a task, until the end of its scope: it may be cancelled.
class Caller {
 public:
  Caller(Delegations& tasks, std::shared_ptr<Delegations::Task> task, mcp::Call& call)
      : tasks_(tasks), task_(std::move(task)), call_(call) {
    task_->caller = &call;
  }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  ~Caller() {
    // Another call may have taken the task over before this one, which was cancelled, ended.
    if (task_->caller != &call_) return;
    task_->caller = nullptr;
    if (call_.cancelled()) tasks_.abandoned(task_);
  }

 private:
  Delegations& tasks_;
  std::shared_ptr<Delegations::Task> task_;
  mcp::Call& call_;
};

/// The answer of a task that an earlier call left is taken out of the inbox; false if the agent has
/// seen and removed it, so that the same call is a new task.
awaitable<bool> take_answer(Services& services, std::shared_ptr<Delegations::Task> task) {
  if (task->activity_id.empty() || task->answer_is_long()) co_return true;
  bool taken = true;
  try {
    taken = co_await remove_message(services, task->activity_id);
  } catch (const workspace::StoreError& error) {
    log::warning("an answer stays in the inbox: {}", error.what());
  }
  co_return taken;
}

awaitable<mcp::ToolResult> delegate_task(Services& services, std::shared_ptr<Delegations> tasks,
                                         mcp::Call& call) {
  Order order = co_await read_order(services, call.arguments());
  if (order.refusal) co_return std::move(*order.refusal);
  const std::string tool_use_id(call.meta("claudecode/toolUseId").value_or(""));
  // The agent may be at a message while it asks a peer for help with it.
  const LeaseRenewal renewal(services);
  const Progress progress(services, call, "waiting for the peer's answer");
  while (true) {
    auto task =
        Delegations::find_or_start(tasks, *order.source, order.peer, order.task, tool_use_id);
    const Caller caller(*tasks, task, call);
    while (!task->done) co_await task->ended.wait();
    tasks->finish(task);
    if (task->failure) std::rethrow_exception(task->failure);
    auto taken = co_await take_answer(services, task);
    if (!taken) continue;
    mcp::ToolResult result = answer_of(order.peer, *task);
    co_return result;
  }
}

std::string delegated(const std::string& peer, const platform::Delegation& delegation) {
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("delegation_id", delegation.delegation_id);
    o.field("workspace_id", peer);
    o.field("status", "delegated");
    o.field("note", delegation.idempotent_hit
                        ? fmt::format("The same task was delegated a moment ago ({}); it was not "
                                      "sent a second time. Use check_task_status.",
                                      delegation.status)
                        : std::string("Use check_task_status with this delegation_id for the "
                                      "result; a polling peer's answer arrives in your inbox."));
  }
  return std::move(writer).take();
}

awaitable<mcp::ToolResult> delegate_task_async(Services& services,
                                               std::shared_ptr<DelegationKeys> keys,
                                               mcp::Call& call) {
  Order order = co_await read_order(services, call.arguments());
  if (order.refusal) co_return std::move(*order.refusal);
  workspace::Workspace& workspace = *order.source;
  const std::string& peer = order.peer;
  const std::string& task = order.task;
  const std::string key =
      keys->key_for(workspace.id(), peer, task, call.meta("claudecode/toolUseId").value_or(""));
  auto outcome = co_await workspace.client.delegate(peer, task, key);
  mcp::ToolResult result;
  if (outcome) {
    co_await remember_task(services, workspace, outcome->delegation_id, peer, task);
    result.text = delegated(peer, *outcome);
  } else {
    result = failure(fmt::format("The task was not delegated to {}", peer), About::own_workspace,
                     outcome.error());
    if (outcome.error().may_have_arrived) {
      result.text += " The same call within two minutes will not run the task a second time.";
    }
  }
  co_return result;
}

constexpr const char* task_schema =
    R"({"type":"object","properties":{"workspace_id":{"type":"string","description":"or name"},)"
    R"("task":{"type":"string"}},"required":["workspace_id","task"]})";

}  // namespace

awaitable<void> remember_task(Services& services, workspace::Workspace& workspace,
                              std::string task_id, std::string peer, std::string task) {
  if (!services.config.inbox) co_return;
  const auto write = [&workspace, task_id, peer, task] {
    const workspace::Database::FailFast fail_fast(workspace.inbox.database);
    workspace.inbox.tasks.remember(task_id, peer, task);
    return true;
  };
  try {
    co_await retry_while_busy(services, write);
    // An answer that is here already is now known as one.
    workspace.changes.messages_changed();
  } catch (const workspace::StoreError& error) {
    log::warning("the answer to a task will not say what it answers: {}", error.what());
  }
}

awaitable<platform::Outcome<platform::A2aReply>> send_and_report(Services& services,
                                                                 workspace::Workspace& workspace,
                                                                 Outgoing outgoing, Warn warn) {
  const std::string peer = outgoing.peer;
  const std::string summary = fmt::format(
      "Delegating to {}: {}", peer, text::prefix_characters(text::one_line(outgoing.text), 100));
  const workspace::Workload::Task working(workspace.workload, summary);
  report(services, workspace, peer, summary, "ok");
  auto outcome =
      co_await send_with_retries(services, workspace, std::move(outgoing), std::move(warn));
  report_end(services, workspace, peer, outcome);
  co_return outcome;
}

awaitable<platform::Outcome<platform::A2aReply>> send_to_peer(Services& services,
                                                              workspace::Workspace& workspace,
                                                              Outgoing outgoing, mcp::Call& call) {
  const Progress progress(services, call, "waiting for the peer's answer");
  Warn warn = [&call](const std::string& text) {
    call.log(mcp::LogLevel::warning, "delegation", text);
  };
  auto outcome =
      co_await send_and_report(services, workspace, std::move(outgoing), std::move(warn));
  co_return outcome;
}

void add_delegation_tools(ToolRegistry& tools) {
  Services& services = tools.services();
  tools.add({.name = "delegate_task",
             .description =
                 "Give a peer agent a task, with all it needs to know. If the result is Queued, "
                 "do not repeat it: the answer comes to wait_for_message as delegation_result with "
                 "the task_id.",
             .input_schema = task_schema,
             .hints = sends,
             .choice = source_argument},
            std::make_shared<Delegations>(services), delegate_task);
  tools.add(
      {.name = "delegate_task_async",
       .description = "As delegate_task, without waiting: returns a delegation_id for "
                      "check_task_status.",
       .input_schema = task_schema,
       .is_json = true,
       .hints = sends,
       .choice = source_argument},
      std::make_shared<DelegationKeys>(services.clock, services.config.timing.same_delegation),
      delegate_task_async);
}

}  // namespace molecule::tools
