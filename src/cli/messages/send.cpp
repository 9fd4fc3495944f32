#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/files/files.hpp"
#include "base/json/writer.hpp"
#include "base/log.hpp"
#include "base/text/text.hpp"
#include "base/uuid.hpp"
#include "cli/commands/help.hpp"
#include "cli/messages/input.hpp"
#include "cli/messages/messages.hpp"
#include "cli/messages/to_user.hpp"
#include "cli/messages/waiting.hpp"
#include "cli/output/terminal.hpp"
#include "cli/platform/peers.hpp"
#include "cli/session/choose.hpp"
#include "tools/retry_while_busy.hpp"
#include "tools/shared_calls.hpp"

namespace molecule::cli {

namespace {

using workspace::Message;
using workspace::Workspaces;

constexpr std::size_t max_file_bytes = std::size_t{1} << 20;

void warn(const std::string& text) {
  log::warning("{}", text);
}

/// The text with the files after it: between agents only text travels.
Result<std::string, int> with_files(std::string text, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    auto content = files::read(path, max_file_bytes, files::Links::follow);
    if (!content.ok()) return Failure{wrong_usage(content.error().message)};
    if (!text::valid_utf8(*content) || content->find('\0') != std::string::npos) {
      return Failure{wrong_usage(fmt::format("{} is no text file: only text can be sent to a peer",
                                             text::one_line(path)))};
    }
    const std::string name = text::one_line(path.substr(path.rfind('/') + 1));
    text += fmt::format("\n\n--- {} ---\n{}", name, *content);
  }
  return text;
}

/// The answer, as soon as it is there, which then leaves the inbox: it was read.
awaitable<std::optional<Message>> wait_for_answer(Session& session, std::string task_id,
                                                  Clock::time_point deadline) {
  workspace::Workspace& workspace = session.first();
  std::optional<Message> answer;
  const auto look = [&workspace, &task_id]() -> std::optional<Message> {
    const workspace::Database::FailFast fail_fast(workspace.inbox.database);
    auto task = workspace.inbox.tasks.find(task_id);
    return task ? std::move(task->answer) : std::nullopt;
  };
  while (!answer && session.clock.now() < deadline && workspace.in_use()) {
    answer = co_await tools::retry_while_busy(session.services, look);
    if (answer) break;
    [[maybe_unused]] auto changed = co_await session.workspaces.changed().wait_until(deadline);
  }
  if (answer) co_await tools::remove_message(session.services, answer->activity_id);
  co_return answer;
}

std::string answer_text(const std::string& message_id, const std::string& text, bool json) {
  if (!json) return text + (text.ends_with('\n') ? "" : "\n");
  json::Writer writer;
  {
    auto o = writer.object();
    o.field("message_id", message_id);
    o.field("answer", text);
  }
  return std::move(writer).take() + "\n";
}

struct Sending {
  std::string who;
  std::string text;
  std::optional<std::chrono::seconds> wait;
  bool json = false;
};

/// While it waits, this process serves the workspace beside any other, so that the answer comes.
awaitable<int> wait_and_print(Session& session, tools::Outgoing outgoing, Sending sending) {
  co_await tools::remember_task(session.services, session.first(), outgoing.message_id,
                                outgoing.peer, outgoing.text);
  session.workspaces.start(session.tasks);
  say("The peer answers later; waiting for it.\n");
  const auto deadline = session.clock.now() + *sending.wait;
  auto answer = co_await wait_for_answer(session, outgoing.message_id, deadline);
  if (!answer) {
    say_failure(
        fmt::format("no answer came in {} s; it will come to the inbox", sending.wait->count()));
    [[maybe_unused]] const int printed = finish(sent_line(outgoing.message_id, sending.json));
    co_return exit_code::nothing_came;
  }
  co_return finish(answer_text(outgoing.message_id, text::sanitize(answer->text), sending.json));
}

awaitable<int> send_one(Session& session, Sending sending) {
  auto peer = co_await find_peer(session, sending.who);
  if (const int* code = std::get_if<int>(&peer)) co_return *code;
  const std::string id = std::get<platform::Peer>(peer).id;
  if (id == session.first().id()) co_return wrong_usage("that is this workspace itself");
  tools::Outgoing outgoing;
  outgoing.peer = id;
  outgoing.text = sending.text;
  outgoing.message_id = random_uuid();
  const std::string message_id = outgoing.message_id;
  auto outcome = co_await tools::send_and_report(session.services, session.first(), outgoing, warn);
  if (!outcome) co_return report("the message is not known to be sent", outcome.error());
  if (outcome->failed) {
    say_failure(fmt::format("the peer answered with an error: {}", outcome->text));
    co_return exit_code::failed;
  }
  if (!sending.wait) {
    // Its answer, in the inbox, will then say what it answers.
    if (outcome->queued) {
      co_await tools::remember_task(session.services, session.first(), message_id, id,
                                    sending.text);
    } else if (!outcome->text.empty()) {
      say(text::sanitize(outcome->text) + "\n");
    }
    co_return finish(sent_line(message_id, sending.json));
  }
  if (!outcome->queued) {
    co_return finish(answer_text(message_id, text::sanitize(outcome->text), sending.json));
  }
  auto code = co_await wait_and_print(session, std::move(outgoing), std::move(sending));
  co_return code;
}

struct Answering {
  std::string id;
  std::string text;
  std::vector<std::string> paths;
  bool json = false;
};

/// Why it cannot be answered like this; empty if it can.
std::string_view problem(const Message& message, bool has_files) {
  if (message.kind == "delegation_result") return "it is the answer to a task and needs none";
  if (message.kind == "canvas_user") return {};
  if (message.peer_id.empty()) return "the platform does not say who wrote it";
  return has_files ? "files can be sent to the user only" : std::string_view();
}

awaitable<int> answer_peer(Session& session, Workspaces::Arrival arrival, std::string text,
                           std::string message_id) {
  tools::Outgoing outgoing;
  outgoing.peer = arrival.message.peer_id;
  outgoing.text = std::move(text);
  outgoing.message_id = std::move(message_id);
  outgoing.in_reply_to = arrival.message.message_id;
  auto outcome =
      co_await tools::send_and_report(session.services, *arrival.workspace, outgoing, warn);
  if (!outcome) co_return report("the answer is not known to be sent", outcome.error());
  if (!outcome->failed) co_return exit_code::done;
  say_failure(
      fmt::format("the peer received the answer and said that it failed: {}", outcome->text));
  co_return exit_code::failed;
}

/// The message becomes this process's, so that no two answer it.
awaitable<bool> hold(Session& session, Workspaces::Arrival arrival) {
  workspace::Inbox& inbox = arrival.workspace->inbox;
  const std::string id = arrival.message.activity_id;
  const auto lease = [&inbox, id] {
    const workspace::Database::FailFast fail_fast(inbox.database);
    return inbox.leases.lease(id);
  };
  auto held = co_await tools::retry_while_busy(session.services, lease);
  co_return held;
}

awaitable<int> reply_one(Session& session, Answering answering) {
  auto found = co_await find_waiting(session, answering.id);
  if (const int* code = std::get_if<int>(&found)) co_return *code;
  const Workspaces::Arrival arrival = std::get<Workspaces::Arrival>(std::move(found));
  const Message& message = arrival.message;
  const std::string_view why = problem(message, !answering.paths.empty());
  if (!why.empty()) co_return wrong_usage(fmt::format("nothing was sent: {}", why));
  auto held = co_await hold(session, arrival);
  if (!held) {
    say_failure("nothing was sent: a session of an agent is working on this message");
    co_return exit_code::failed;
  }
  tools::Note note;
  note.text = answering.text;
  note.paths = answering.paths;
  // As the agent's `reply` derives it: whoever tries again sends the same message.
  const std::string id = derived_uuid(text::lower(message.activity_id), tools::content_of(note));
  int code = exit_code::done;
  if (message.kind == "canvas_user") {
    UserMessage sent{.text = answering.text,
                     .paths = answering.paths,
                     .message_id = id,
                     .in_reply_to = message.message_id};
    code = co_await send_to_user(*arrival.workspace, std::move(sent));
  } else {
    code = co_await answer_peer(session, arrival, answering.text, id);
  }
  if (code != exit_code::done) co_return code;
  co_await tools::remove_message(session.services, message.activity_id);
  co_return finish(sent_line(id, answering.json));
}

}  // namespace

int send(const Arguments& arguments) {
  Sending sending{.who = arguments.value("WHO"), .text = {}, .wait = {}, .json = arguments.json()};
  if (arguments.has("--wait")) {
    sending.wait = read_seconds(arguments, "--wait");
    if (*sending.wait < std::chrono::seconds::zero()) return exit_code::usage;
  }
  auto config = choose_one(arguments, Need::token);
  if (!config.ok()) return config.error();
  auto text = read_text(arguments);
  if (!text.ok()) return text.error();
  auto whole = with_files(std::move(*text), whole_paths(arguments));
  if (!whole.ok()) return whole.error();
  sending.text = std::move(*whole);
  Session session(std::move(*config));
  return session.run(guarded("the inbox cannot be used", send_one(session, std::move(sending))));
}

int reply(const Arguments& arguments) {
  auto config = choose_workspaces(arguments, Need::token);
  if (!config.ok()) return config.error();
  keep_existing_inboxes(*config);
  auto text = read_text(arguments);
  if (!text.ok()) return text.error();
  Answering answering{.id = arguments.value("ID"),
                      .text = std::move(*text),
                      .paths = whole_paths(arguments),
                      .json = arguments.json()};
  Session session(std::move(*config));
  return session.run(guarded("the inbox cannot be used", reply_one(session, std::move(answering))));
}

}  // namespace molecule::cli
