#pragma once

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

#include "base/async/event.hpp"
#include "base/async/tasks.hpp"
#include "mcp/calls/questions.hpp"
#include "mcp/calls/request_states.hpp"
#include "mcp/revision.hpp"
#include "mcp/wire/envelope.hpp"
#include "mcp/wire/output_queue.hpp"
#include "molecule/mcp/session.hpp"

namespace molecule::mcp {

/// Collects the answers to one batch. They are sent as one array when its last request has ended.
struct Batch {
  std::string answers;
  /// Requests in flight, plus one while the batch itself is still being read.
  std::size_t open = 1;
};

struct Reading {
  std::shared_ptr<const std::function<awaitable<ReadResult>(mcp::Call&)>> read;
  std::string uri;
  Cache cache;
};

struct Completing {
  std::shared_ptr<const Completer> complete;
  std::string value;
};

/// What a request runs.
using Work =
    std::variant<std::shared_ptr<const Tool>, Reading, std::shared_ptr<const Prompt>, Completing>;

/// The method and name that a request state is bound to.
std::string purpose_of(const Work& work);

/// A request that is answered by a task.
struct CallRequest {
  Work work;
  Envelope envelope;
  std::string id;
  std::string key;
  /// `params` points into `document`; `arguments` points into `document` or `variables`.
  json::Document document;
  json::Document variables;
  json::Value params;
  json::Value arguments;
  /// Null if the request is not part of a batch.
  std::shared_ptr<Batch> batch;
  /// `InputNeeded::state` of the previous round; empty in the first.
  std::string state = {};
};

class Calls;

/// One call in flight, as seen by its handler.
class ActiveCall final : public Call {
 public:
  /// `calls` must outlive the handler.
  ActiveCall(CallRequest request, Calls& calls);
  json::Value arguments() const override { return request_.arguments; }
  std::optional<std::string_view> meta(std::string_view key) const override;
  void progress(double progress, std::optional<double> total, std::string_view message) override;
  void log(LogLevel level, std::string_view logger, std::string_view text) override;
  bool host_can(std::string_view capability) const override;
  json::Value input(std::string_view key) const override;
  std::string_view state() const override { return request_.state; }
  bool cancelled() const override { return cancelled_; }

  const CallRequest& request() const { return request_; }
  bool stateless() const { return is_stateless(request_.envelope.revision); }
  /// Stores the host's answers for the next call of the handler.
  void next_round(Round& round, const std::string& state);
  /// No answer and no progress are sent from now on.
  void set_cancelled() { cancelled_ = true; }
  TaskGroup::Id task = 0;

 private:
  CallRequest request_;
  Calls& calls_;
  /// JSON; empty if the caller gave no token.
  std::string progress_token_;
  bool cancelled_ = false;
  std::optional<double> last_progress_;
  std::map<std::string, json::Document, std::less<>> answers_;
};

/// The requests in flight that run as tasks; each is answered when its task ends. Hold it in a
/// `shared_ptr`, which the tasks share.
class Calls : public std::enable_shared_from_this<Calls> {
 public:
  /// Notifies `changed` when a call ends.
  Calls(asio::any_io_executor executor, Clock& clock, std::shared_ptr<const ServerInfo> server,
        std::shared_ptr<OutputQueue> output, std::shared_ptr<Event> changed,
        std::size_t queue_limit);

  std::size_t size() const { return size_; }
  bool contains(const std::string& key) const { return by_key_.contains(key); }
  void start(CallRequest request);
  /// Cancels one call. Unknown keys are ignored.
  void cancel(const std::string& key);
  void cancel_all();
  /// Returns when every task has ended.
  awaitable<void> join();
  /// Sends an answer, or adds it to its batch.
  void answer(Batch* batch, std::string_view json);
  /// Counts one request of the batch, or the reading of it, as done. The last one sends the
  /// answers.
  void close(Batch& batch);

  /// Sends a message that may be lost: it is dropped if the output queue is full.
  void send_notice(std::string_view json);
  /// Sends a log message to a host that negotiated its revision.
  void log(LogLevel level, std::string_view logger, std::string_view text);

  Questions& questions() { return questions_; }
  RequestStates& request_states() { return request_states_; }
  const ServerInfo& server() const { return *server_; }
  /// Adds `members` and the members common to all stateless results.
  void stamp(std::string& result, std::string_view members) const;
  /// The minimum level of log messages for hosts that negotiated their revision.
  LogLevel log_level = LogLevel::warning;

 private:
  struct Outcome {
    std::variant<std::monostate, ToolResult, ReadResult, PromptResult, Completion> value;
    std::optional<encode::Error> error;
    std::exception_ptr failure;
    const InputNeeded* input() const;
  };
  static awaitable<void> run(std::shared_ptr<Calls> self, std::shared_ptr<ActiveCall> call);
  void ended(const ActiveCall& call, Outcome& outcome);
  /// The result as JSON; on failure, sets `outcome.error`.
  std::string result_of(const ActiveCall& call, Outcome& outcome);
  std::string input_required(const CallRequest& request, const InputNeeded& needed);

  Clock& clock_;
  std::shared_ptr<const ServerInfo> server_;
  std::shared_ptr<OutputQueue> output_;
  std::shared_ptr<Event> changed_;
  std::size_t queue_limit_;
  std::string server_meta_;
  Questions questions_;
  RequestStates request_states_;
  TaskGroup tasks_;
  std::unordered_map<std::string, std::shared_ptr<ActiveCall>> by_key_;
  std::size_t size_ = 0;
};

}  // namespace molecule::mcp
