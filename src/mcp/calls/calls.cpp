#include "mcp/calls/calls.hpp"

#include <algorithm>
#include <utility>

#include "base/json/writer.hpp"
#include "base/log.hpp"
#include "mcp/wire/encode.hpp"

namespace molecule::mcp {

namespace {

std::string text_of(std::exception_ptr error) {
  try {
    std::rethrow_exception(std::move(error));
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "unknown";
  }
}

/// The error for the first input request that the host has not declared support for, if any.
std::optional<encode::Error> missing_capability(const InputNeeded& needed,
                                                const HostCapabilities& host) {
  for (const InputRequest& request : needed.requests) {
    const std::string_view name =
        std::string_view(request.method).substr(0, request.method.find('/'));
    if (host.has(name)) continue;
    json::Writer data;
    {
      auto members = data.object();
      auto required = members.object("requiredCapabilities");
      required.raw(name, "{}");
    }
    return encode::Error{
        .code = code::missing_capability,
        .message = "The host did not declare the capability `" + std::string(name) + "`",
        .data = std::move(data).take()};
  }
  return std::nullopt;
}

/// Withdraws unanswered requests to the host when a call ends, however it ends.
struct Withdrawal {
  Questions& questions;
  std::shared_ptr<Round> round;
  ~Withdrawal() { questions.withdraw(round); }
};

}  // namespace

const InputNeeded* Calls::Outcome::input() const {
  const auto of = [](const auto* result) {
    return result != nullptr && result->input ? &*result->input : nullptr;
  };
  if (const auto* needed = of(std::get_if<ToolResult>(&value))) return needed;
  if (const auto* needed = of(std::get_if<ReadResult>(&value))) return needed;
  return of(std::get_if<PromptResult>(&value));
}

Calls::Calls(asio::any_io_executor executor, Clock& clock, std::shared_ptr<const ServerInfo> server,
             std::shared_ptr<OutputQueue> output, std::shared_ptr<Event> changed,
             std::size_t queue_limit)
    : clock_(clock),
      server_(std::move(server)),
      output_(std::move(output)),
      changed_(std::move(changed)),
      queue_limit_(queue_limit),
      server_meta_(encode::server_meta(*server_)),
      questions_(output_),
      tasks_(std::move(executor), clock, [](std::string_view task, std::exception_ptr error) {
        log::error("the task `{}` failed: {}", task, text_of(std::move(error)));
      }) {}

void Calls::start(CallRequest request) {
  if (request.batch) ++request.batch->open;
  std::string key = request.key;
  const auto call = std::make_shared<ActiveCall>(std::move(request), *this);
  by_key_.emplace(std::move(key), call);
  ++size_;
  // `run` may finish before `spawn` returns.
  call->task = tasks_.spawn("tool call", run(shared_from_this(), call));
}

void Calls::cancel(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  found->second->set_cancelled();
  tasks_.cancel(found->second->task);
  by_key_.erase(found);
}

void Calls::cancel_all() {
  for (const auto& [key, call] : by_key_) call->set_cancelled();
  by_key_.clear();
  tasks_.cancel_all();
}

awaitable<void> Calls::join() {
  return tasks_.join();
}

awaitable<void> Calls::run(std::shared_ptr<Calls> self, std::shared_ptr<ActiveCall> call) {
  Outcome outcome;
  try {
    while (true) {
      const Work& work = call->request().work;
      const auto* const tool = std::get_if<std::shared_ptr<const Tool>>(&work);
      const auto* const reading = std::get_if<Reading>(&work);
      const auto* const prompt = std::get_if<std::shared_ptr<const Prompt>>(&work);
      const auto* const completing = std::get_if<Completing>(&work);
      if (tool != nullptr) {
        ToolResult result = co_await (*tool)->handler(*call);
        outcome.value = std::move(result);
      } else if (reading != nullptr) {
        ReadResult result = co_await (*reading->read)(*call);
        outcome.value = std::move(result);
      } else if (prompt != nullptr) {
        PromptResult result = co_await (*prompt)->get(*call);
        outcome.value = std::move(result);
      } else {
        Completion result = co_await (*completing->complete)(*call, completing->value);
        outcome.value = std::move(result);
      }
      const InputNeeded* const needed = outcome.input();
      if (needed == nullptr) break;
      outcome.error = missing_capability(*needed, call->request().envelope.host);
      if (outcome.error || call->stateless()) break;
      const auto round = std::make_shared<Round>(self->clock_);
      const Withdrawal withdrawal{.questions = self->questions_, .round = round};
      self->questions_.ask(needed->requests, round);
      while (!round->done()) co_await round->changed.wait();
      outcome.error = round->refusal;
      if (outcome.error) break;
      call->next_round(*round, needed->state);
    }
  } catch (...) {
    outcome.failure = std::current_exception();
  }
  self->ended(*call, outcome);
}

void Calls::ended(const ActiveCall& call, Outcome& outcome) {
  --size_;
  const CallRequest& request = call.request();
  if (!call.cancelled()) {
    by_key_.erase(request.key);
    std::string result;
    try {
      if (!outcome.failure) result = result_of(call, outcome);
    } catch (...) {
      outcome.failure = std::current_exception();
    }
    if (outcome.failure) {
      log::error("`{}` failed: {}", purpose_of(request.work), text_of(outcome.failure));
      outcome.error = encode::Error{.code = code::internal_error, .message = "Internal error"};
    }
    std::string json;
    if (outcome.error) {
      encode::append_error(json, request.id, *outcome.error);
    } else {
      encode::append_result(json, request.id, result);
    }
    answer(request.batch.get(), json);
  }
  if (request.batch) close(*request.batch);
  output_->flush_soon();
  changed_->notify_all();
}

std::string Calls::result_of(const ActiveCall& call, Outcome& outcome) {
  const CallRequest& request = call.request();
  const Revision revision = request.envelope.revision;
  const InputNeeded* const needed = outcome.input();
  if (outcome.error) return {};
  if (needed != nullptr) return input_required(request, *needed);
  std::string result;
  std::string members;
  if (const auto* tool_result = std::get_if<ToolResult>(&outcome.value)) {
    const Tool& tool = *std::get<std::shared_ptr<const Tool>>(request.work);
    result = encode::tool_result(tool, *tool_result, revision);
  } else if (const auto* read = std::get_if<ReadResult>(&outcome.value)) {
    const auto& reading = std::get<Reading>(request.work);
    if (read->contents.empty()) {
      outcome.error = encode::resource_not_found(reading.uri, revision);
      return {};
    }
    result = encode::read_result(*read, reading.uri);
    members = encode::cache_members(reading.cache);
  } else if (const auto* prompt = std::get_if<PromptResult>(&outcome.value)) {
    result = encode::prompt_result(*prompt, revision);
  } else {
    result = encode::completion(std::get<Completion>(outcome.value));
  }
  if (call.stateless()) stamp(result, members);
  return result;
}

std::string Calls::input_required(const CallRequest& request, const InputNeeded& needed) {
  std::string token;
  if (!needed.state.empty()) token = request_states_.keep(purpose_of(request.work), needed.state);
  std::string result = encode::input_required(needed, token);
  encode::add_members(result, server_meta_);
  return result;
}

void Calls::stamp(std::string& result, std::string_view members) const {
  std::string all = R"("resultType":"complete",)";
  if (!members.empty()) {
    all += members;
    all += ',';
  }
  all += server_meta_;
  encode::add_members(result, all);
}

void Calls::send_notice(std::string_view json) {
  if (output_->queued() > queue_limit_) return;
  output_->send(json);
  output_->flush_soon();
}

void Calls::log(LogLevel level, std::string_view logger, std::string_view text) {
  if (server_->logging && level >= log_level) {
    send_notice(encode::log_message(level, logger, text));
  }
}

void Calls::answer(Batch* batch, std::string_view json) {
  if (batch == nullptr) return output_->send(json);
  batch->answers += batch->answers.empty() ? '[' : ',';
  batch->answers += json;
}

void Calls::close(Batch& batch) {
  if (--batch.open > 0 || batch.answers.empty()) return;
  batch.answers += ']';
  output_->send(batch.answers);
}

}  // namespace molecule::mcp
