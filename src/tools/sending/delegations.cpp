#include "tools/sending/delegations.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "base/text/time.hpp"
#include "base/uuid.hpp"
#include "tools/results/limits.hpp"
#include "tools/retry_while_busy.hpp"
#include "tools/shared_calls.hpp"
#include "workspace/store/inbox/sql.hpp"

namespace molecule::tools {

namespace {

workspace::Message answer_message(const Delegations::Task& task, Clock& clock) {
  workspace::Message message;
  message.activity_id = task.activity_id;
  const platform::A2aReply& answer = task.outcome->value();
  message.text = answer.failed ? "The peer answered with an error: " + answer.text : answer.text;
  message.peer_id = task.peer;
  message.kind = "delegation_result";
  message.method = "delegate_result";
  message.created_at = format_rfc3339(clock.wall());
  message.task_id = task.message_id;
  message.sequence = workspace::no_sequence;
  return message;
}

/// Nobody waits for it any more, or it is long: the answer goes to the inbox, for this session.
awaitable<void> store_answer(Services& services, std::shared_ptr<Delegations::Task> task) {
  if (!services.config.inbox) co_return;
  task->activity_id = derived_uuid(task->message_id, "answer");
  const auto write = [&services, task] {
    workspace::Inbox& inbox = task->workspace.inbox;
    const workspace::Database::FailFast fail_fast(inbox.database);
    const bool added = inbox.messages.add(answer_message(*task, services.clock));
    // The call that waits shows how it begins: it is given.
    if (added && !task->is_left()) inbox.leases.lease(task->activity_id);
    return added;
  };
  try {
    co_await retry_while_busy(services, write);
    task->workspace.changes.messages_changed();
  } catch (const workspace::StoreError& error) {
    task->activity_id.clear();
    log::warning("a late answer of {} is lost: {}", task->peer, error.what());
  }
}

/// Best effort: a task that stays would only be called queued for longer.
void forget_task(Services& services, const Delegations::Task& task) {
  if (!services.config.inbox) return;
  workspace::Inbox& inbox = task.workspace.inbox;
  try {
    const workspace::Database::FailFast fail_fast(inbox.database);
    inbox.tasks.forget(task.message_id);
  } catch (const workspace::StoreError& error) {
    log::debug("inbox: {}", error.what());
  }
}

/// For a task whose call was cancelled when the answer was there, but not yet given.
awaitable<void> keep_answer(Services& services, std::shared_ptr<Delegations::Task> task) {
  co_await remember_task(services, task->workspace, task->message_id, task->peer, task->text);
  co_await store_answer(services, task);
}

}  // namespace

bool Delegations::Task::may_be_answered() const {
  if (!outcome) return false;
  return *outcome ? (*outcome)->queued : outcome->error().may_have_arrived;
}

void Delegations::abandoned(const std::shared_ptr<Task>& task) {
  if (!task->done || !task->has_answer() || !task->activity_id.empty()) return;
  // The same call again finds it.
  if (std::ranges::find(tasks_, task) == tasks_.end()) tasks_.push_back(task);
  services_.tasks.spawn("late answer", keep_answer(services_, task));
}

bool Delegations::Task::answer_is_long() const {
  if (!outcome || !*outcome || (*outcome)->failed) return false;
  return slice((*outcome)->text, 0, max_answer_bytes).next > 0;
}

std::shared_ptr<Delegations::Task> Delegations::left(const workspace::Workspace& workspace,
                                                     const std::string& peer,
                                                     const std::string& text) {
  const Clock::time_point oldest = services_.clock.now() - services_.config.timing.same_message;
  std::erase_if(tasks_, [oldest](const auto& task) {
    return task->done && task->is_left() && task->ended_at < oldest;
  });
  const auto found = std::ranges::find_if(tasks_, [&](const auto& task) {
    return task->is_left() && &task->workspace == &workspace && task->peer == peer &&
           task->text == text;
  });
  return found == tasks_.end() ? nullptr : *found;
}

std::shared_ptr<Delegations::Task> Delegations::find_or_start(std::shared_ptr<Delegations> self,
                                                              workspace::Workspace& workspace,
                                                              std::string peer, std::string text,
                                                              std::string tool_use_id) {
  if (auto same = self->left(workspace, peer, text)) return same;
  auto task =
      std::make_shared<Task>(self->services_.clock, workspace, std::move(peer), std::move(text));
  self->tasks_.push_back(task);
  TaskGroup& group = self->services_.tasks;
  group.spawn("delegation", run(std::move(self), task, std::move(tool_use_id)));
  return task;
}

awaitable<void> Delegations::run(std::shared_ptr<Delegations> self, std::shared_ptr<Task> task,
                                 std::string tool_use_id) {
  try {
    co_await send(self, task, std::move(tool_use_id));
  } catch (...) {
    task->failure = std::current_exception();
  }
  task->done = true;
  task->ended.notify_all();
  if (!task->failure) co_return;
  self->finish(task);
  if (task->is_left()) std::rethrow_exception(task->failure);
}

awaitable<void> Delegations::send(std::shared_ptr<Delegations> self, std::shared_ptr<Task> task,
                                  std::string tool_use_id) {
  Services& services = self->services_;
  MessageIds::Attempt attempt(self->ids_, task->workspace.id() + task->peer, task->text,
                              tool_use_id);
  task->message_id = attempt.id();
  const auto& handler = services.config.handler;
  Outgoing outgoing{.peer = task->peer,
                    .text = task->text,
                    .message_id = attempt.id(),
                    .in_reply_to = "",
                    .hops = handler ? handler->hops : 0};
  Warn warn = [task](const std::string& text) {
    if (task->caller != nullptr) task->caller->log(mcp::LogLevel::warning, "delegation", text);
  };
  // Before it is sent: if this process ends while the peer is at work, an answer that comes to the
  // inbox later still says what it answers.
  co_await remember_task(services, task->workspace, task->message_id, task->peer, task->text);
  auto outcome =
      co_await send_and_report(services, task->workspace, std::move(outgoing), std::move(warn));
  if (outcome) attempt.taken();
  task->outcome = std::move(outcome);
  task->ended_at = services.clock.now();
  if (task->has_answer() && (task->is_left() || task->answer_is_long())) {
    co_await store_answer(services, task);
  } else if (!task->may_be_answered()) {
    forget_task(services, *task);
  }
  // Nothing was done that a repetition could find.
  if (!*task->outcome && task->is_left()) self->finish(task);
}

}  // namespace molecule::tools
