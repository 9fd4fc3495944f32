#include "daemon/turns.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/text/redact.hpp"
#include "base/text/text.hpp"
#include "base/uuid.hpp"
#include "daemon/conversations.hpp"
#include "daemon/store_patiently.hpp"

namespace molecule::daemon {

namespace {

using Outcome = TurnResult::Outcome;
using std::chrono::seconds;

constexpr seconds send_timeout{30};
/// The pause before an answer that the platform did not take is sent again.
constexpr seconds send_again{15};

std::string sender_name(const workspace::Message& message) {
  if (message.kind == "canvas_user") return "the user";
  return message.peer_name.empty() ? "agent " + message.peer_id : "agent " + message.peer_name;
}

/// The platform will not take it later either.
bool is_final(const platform::Error& error) {
  using platform::Errc;
  switch (error.code) {
    case Errc::forbidden:
    case Errc::not_found:
    case Errc::gone:
    case Errc::too_large:
    case Errc::rejected:
      return true;
    default:
      return false;
  }
}

/// Sends a text to the partner of the job's conversation.
awaitable<platform::Outcome<void>> send(std::shared_ptr<Job> job, std::string text,
                                        std::string message_id) {
  platform::Client& client = job->workspace->client;
  const std::string peer = partner_of(job->conversation);
  const workspace::Message& message = job->message;
  const bool answers = message.kind != "delegation_result";
  const std::string answered = answers ? message.message_id : "";
  platform::Outcome<void> outcome;
  if (peer.empty()) {
    std::vector<platform::UploadedFile> no_files;
    outcome = co_await client.notify(std::move(text), std::move(no_files), std::move(message_id),
                                     answered);
    co_return outcome;
  }
  auto sent = co_await client.send_message(peer, std::move(message_id), std::move(text),
                                           send_timeout, answered, std::max(message.hops, 0) + 1);
  if (!sent) outcome = Failure{std::move(sent.error())};
  co_return outcome;
}

}  // namespace

/// False if the handler's agent has answered it with its tools.
bool Turns::waits(const Job& job) const {
  try {
    return job.workspace->inbox.messages.find(job.candidate.activity_id).has_value();
  } catch (const workspace::StoreError&) {
    return true;
  }
}

awaitable<void> Turns::handle(std::shared_ptr<Job> job) {
  const std::string who = sender_name(job->message);
  workspace::Workload::Task working(job->workspace->workload, "answering " + who);
  workspace::HandlerTurns& turns = job->workspace->inbox.turns;
  const std::string id = job->candidate.activity_id;
  if (std::cmp_greater(job->candidate.tries, job->settings.retry.size())) {
    // The sender could not be told yet.
    std::string reason = job->candidate.reason;
    if (reason.empty()) reason = "its tries were used up";
    co_await give_up(job, std::move(reason));
    co_return;
  }
  TurnResult result;
  std::optional<std::string> kept;
  const auto look = [&turns, &id, &kept] { kept = turns.answer(id); };
  co_await store_patiently(services_.clock, services_.config.timing, look, "nothing");
  if (kept) {
    result.outcome = Outcome::answered;
    result.text = *kept;
  } else {
    result = co_await run(job, working);
    if (!waits(*job)) {
      log::info("message {} was answered by its handler's tools", id);
      co_return;
    }
  }
  switch (result.outcome) {
    case Outcome::answered: {
      const std::string text = hide_secret(result.text, job->workspace->credentials.token());
      const auto keep = [&turns, &id, &text] { turns.keep_answer(id, text); };
      if (!kept) {
        co_await store_patiently(services_.clock, services_.config.timing, keep, "an answer");
      }
      co_await send_answer(job, text);
      break;
    }
    case Outcome::accepted:
      co_await remove(job);
      break;
    case Outcome::empty:
      if (job->settings.pop_empty) {
        co_await remove(job);
      } else {
        co_await try_later(job, "the handler ended without an answer");
      }
      break;
    case Outcome::failed:
    case Outcome::unknown_session:
      co_await try_later(job, result.reason);
      break;
    case Outcome::stopped:
      break;
  }
}

awaitable<TurnResult> Turns::run(std::shared_ptr<Job> job, workspace::Workload::Task& working) {
  workspace::Inbox& inbox = job->workspace->inbox;
  const workspace::Timing& timing = services_.config.timing;
  const std::string runner(name_of(job->settings.kind));
  auto turn = std::make_shared<Turn>();
  turn->settings = job->settings;
  turn->incoming = {.message = job->message,
                    .workspace_id = job->workspace->id(),
                    .conversation = job->conversation};
  using Restrict = HandlerSettings::Restrict;
  const Restrict whom = job->settings.restricted;
  turn->restricted =
      whom == Restrict::all || (whom == Restrict::peers && !job->message.peer_id.empty());
  std::int64_t number = 0;
  std::optional<workspace::HandlerTurns::Session> session;
  const auto begin = [&] {
    number = inbox.turns.begin_turn(job->message.peer_id);
    session = inbox.turns.session(job->conversation, runner);
  };
  TurnResult result;
  auto begun = co_await store_patiently(services_.clock, timing, begin, "a turn");
  // Without the record no budget and no guard would count it.
  if (!begun) {
    result.reason = "the inbox cannot be written";
    co_return result;
  }
  std::error_code ignored;
  if (session && std::filesystem::is_directory(session->working_directory, ignored)) {
    turn->session = session->id;
    turn->settings.working_directory = session->working_directory;
  }
  log::info("message {} begins a turn of {} in conversation {}", job->candidate.activity_id, runner,
            job->conversation);
  if (job->settings.kind == Kind::webhook) {
    result = co_await run_webhook(job, turn, working);
    co_return result;
  }
  result = co_await run_program(job, turn, working);
  if (result.outcome == Outcome::unknown_session) {
    log::warning("the session of conversation {} is gone: a new one begins without its memory",
                 job->conversation);
    const auto forget = [&] { inbox.turns.forget_session(job->conversation, runner); };
    co_await store_patiently(services_.clock, timing, forget, "a session");
    turn->session.reset();
    turn->incoming.memory_lost = true;
    result = co_await run_program(job, turn, working);
  }
  const auto end = [&] {
    if (result.cost > 0) inbox.turns.add_cost(number, result.cost);
    if (result.session.empty()) return;
    inbox.turns.keep_session(
        job->conversation, runner,
        {.id = result.session, .working_directory = turn->settings.working_directory.string()});
  };
  co_await store_patiently(services_.clock, timing, end, "a session");
  co_return result;
}

awaitable<void> Turns::send_answer(std::shared_ptr<Job> job, std::string text) {
  workspace::HandlerTurns& turns = job->workspace->inbox.turns;
  const workspace::Timing& timing = services_.config.timing;
  const std::string id = job->candidate.activity_id;
  auto sent = co_await send(job, std::move(text), workspace::handler_answer_id(id));
  if (sent) {
    co_await remove(job);
    if (job->verdict.pause) co_await tell_of_pause(job);
    co_return;
  }
  const std::string reason = "the answer was not taken: " + sent.error().message;
  if (is_final(sent.error())) {
    co_await give_up(job, reason);
    co_return;
  }
  const seconds pause = std::max(send_again, sent.error().retry_after.value_or(seconds(0)));
  log::info("message {}: {}; again in {} s", id, reason, pause.count());
  const WallTime next = services_.clock.wall() + pause;
  const auto later = [&] { turns.failed(id, job->candidate.tries, next, reason); };
  co_await store_patiently(services_.clock, timing, later, "a try");
}

/// After a failure: another try, or none.
awaitable<void> Turns::try_later(std::shared_ptr<Job> job, std::string reason) {
  const std::vector<seconds>& retry = job->settings.retry;
  const auto failures = static_cast<std::size_t>(job->candidate.tries) + 1;
  const seconds pause = failures <= retry.size() ? retry[failures - 1] : seconds(0);
  const std::string id = job->candidate.activity_id;
  const WallTime next = services_.clock.wall() + pause;
  const auto write = [&] {
    job->workspace->inbox.turns.failed(id, static_cast<int>(failures), next, reason);
  };
  co_await store_patiently(services_.clock, services_.config.timing, write, "a failed try");
  if (failures > retry.size()) {
    co_await give_up(job, std::move(reason));
  } else {
    log::warning("message {} was not answered (try {} of {}, the next in {} s): {}", id, failures,
                 retry.size() + 1, pause.count(), reason);
  }
}

awaitable<bool> Turns::tell_sender(std::shared_ptr<Job> job) {
  std::string text =
      partner_of(job->conversation).empty()
          ? "I could not answer this message of yours, and it is set aside: “" +
                std::string(text::prefix_characters(text::one_line(job->message.text), 80)) + "”"
          : "This agent could not answer your message; it is set aside for its owner.";
  auto sent =
      co_await send(job, std::move(text), derived_uuid(job->candidate.activity_id, "set aside"));
  co_return sent.ok() || is_final(sent.error());
}

/// The sender is told first: a crash in between tells it again, which is the same message.
awaitable<void> Turns::give_up(std::shared_ptr<Job> job, std::string reason) {
  workspace::HandlerTurns& turns = job->workspace->inbox.turns;
  const std::string id = job->candidate.activity_id;
  auto told = co_await tell_sender(job);
  const WallTime next = services_.clock.wall() + send_again;
  const int tries = static_cast<int>(job->settings.retry.size()) + 1;
  const auto write = [&] {
    if (told) {
      turns.set_aside(id, reason);
    } else {
      turns.failed(id, tries, next, reason);
    }
  };
  co_await store_patiently(services_.clock, services_.config.timing, write, "a message set aside");
  if (told) log::error("message {} is set aside: {}", id, reason);
}

awaitable<void> Turns::tell_of_pause(std::shared_ptr<Job> job) {
  const std::string text = fmt::format(
      "The conversation with {} is paused: {}. It goes on when you write to me, or when it is "
      "given a new task.",
      sender_name(job->message), job->verdict.reason);
  log::warning("{}", text);
  // One for each begin of a pause, whichever message is the occasion.
  std::vector<platform::UploadedFile> no_files;
  std::string id = derived_uuid(job->candidate.activity_id, "pause");
  auto sent = co_await job->workspace->client.notify(text, std::move(no_files), std::move(id));
  if (!sent) log::warning("the person was not told of the pause: {}", sent.error().message);
}

awaitable<void> Turns::remove(std::shared_ptr<Job> job) {
  const auto write = [&job] { job->workspace->remove(job->candidate.activity_id); };
  const bool removed =
      co_await store_patiently(services_.clock, services_.config.timing, write, "a removal");
  if (removed) log::info("message {} is done", job->candidate.activity_id);
}

}  // namespace molecule::daemon
