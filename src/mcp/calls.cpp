#include "mcp/calls.hpp"

#include <cmath>
#include <system_error>
#include <utility>

#include "mcp/encode.hpp"
#include "molecule/base/log.hpp"

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

}  // namespace

ActiveCall::ActiveCall(CallRequest request, std::shared_ptr<OutputQueue> output,
                       std::size_t queue_limit)
    : request_(std::move(request)), output_(std::move(output)), queue_limit_(queue_limit) {
  const json::Value token = request_.params["_meta"]["progressToken"];
  const bool usable = token.is_string() || token.type() == json::Type::integer;
  if (usable) progress_token_ = token.dump();
}

std::optional<std::string_view> ActiveCall::meta(std::string_view key) const {
  return request_.params["_meta"][key].string();
}

void ActiveCall::progress(double progress, std::optional<double> total, std::string_view message) {
  if (progress_token_.empty() || cancelled || !std::isfinite(progress)) return;
  if (last_progress_ && progress <= *last_progress_) return;
  if (output_->queued() > queue_limit_) return;
  last_progress_ = progress;
  if (total && !std::isfinite(*total)) total.reset();
  const encode::Progress report{.progress = progress, .total = total, .message = message};
  output_->send(encode::notification("notifications/progress",
                                     encode::progress(progress_token_, report, request_.revision)));
  output_->flush_soon();
}

Calls::Calls(asio::any_io_executor executor, Clock& clock, std::shared_ptr<OutputQueue> output,
             std::shared_ptr<Event> changed, std::size_t queue_limit)
    : output_(std::move(output)),
      changed_(std::move(changed)),
      queue_limit_(queue_limit),
      tasks_(std::move(executor), clock, [](std::string_view task, std::exception_ptr error) {
        log::error("the task `{}` failed: {}", task, text_of(std::move(error)));
      }) {}

void Calls::start(CallRequest request) {
  if (request.batch) ++request.batch->open;
  std::string key = request.key;
  const auto call = std::make_shared<ActiveCall>(std::move(request), output_, queue_limit_);
  by_key_.emplace(std::move(key), call);
  ++size_;
  // The task may have ended when this returns.
  call->task = tasks_.spawn("tool call", run(shared_from_this(), call));
}

void Calls::cancel(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  found->second->cancelled = true;
  tasks_.cancel(found->second->task);
  by_key_.erase(found);
}

void Calls::cancel_all() {
  for (const auto& [key, call] : by_key_) call->cancelled = true;
  by_key_.clear();
  tasks_.cancel_all();
}

awaitable<void> Calls::join() {
  return tasks_.join();
}

awaitable<void> Calls::run(std::shared_ptr<Calls> self, std::shared_ptr<ActiveCall> call) {
  Outcome outcome;
  try {
    ToolResult result = co_await call->request().tool->handler(*call);
    outcome.result = std::move(result);
  } catch (...) {
    outcome.error = std::current_exception();
  }
  self->ended(*call, outcome);
}

void Calls::ended(const ActiveCall& call, const Outcome& outcome) {
  --size_;
  const CallRequest& request = call.request();
  if (!call.cancelled) {
    by_key_.erase(request.key);
    std::string json;
    std::exception_ptr error = outcome.error;
    try {
      if (outcome.result) {
        encode::append_result(
            json, request.id,
            encode::tool_result(*request.tool, *outcome.result, request.revision));
      }
    } catch (...) {
      error = std::current_exception();
    }
    if (error) {
      log::error("the tool `{}` failed: {}", request.tool->name, text_of(error));
      const encode::Error failure{.code = code::internal_error, .message = "Internal error"};
      json.clear();
      encode::append_error(json, request.id, failure);
    }
    answer(request.batch.get(), json);
  }
  if (request.batch) close(*request.batch);
  output_->flush_soon();
  changed_->notify_all();
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
