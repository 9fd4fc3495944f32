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

/// The answers to one batch, sent as an array when the last of its requests has ended.
struct Batch {
  std::string answers;
  /// Requests that have not ended yet, and one for the reading of the batch itself.
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

/// What a request asks to have done.
using Work =
    std::variant<std::shared_ptr<const Tool>, Reading, std::shared_ptr<const Prompt>, Completing>;

/// The method and the name that a state belongs to.
std::string purpose_of(const Work& work);

/// A request whose answer takes a task.
struct CallRequest {
  Work work;
  Envelope envelope;
  std::string id;
  std::string key;
  /// `params` views the document; `arguments` it or the second one.
  json::Document document;
  json::Document variables;
  json::Value params;
  json::Value arguments;
  /// Null for a call outside of a batch.
  std::shared_ptr<Batch> batch;
  /// What the request brought back from the round before.
  std::string state = {};
};

class Calls;

/// One call in flight, as its handler sees it.
class ActiveCall final : public Call {
 public:
  /// `calls` outlives the handler.
  ActiveCall(CallRequest request, Calls& calls);
  json::Value arguments() const override { return request_.arguments; }
  std::optional<std::string_view> meta(std::string_view key) const override;
  void progress(double progress, std::optional<double> total, std::string_view message) override;
  void log(LogLevel level, std::string_view logger, std::string_view text) override;
  bool host_can(std::string_view capability) const override;
  json::Value input(std::string_view key) const override;
  std::string_view state() const override { return request_.state; }

  const CallRequest& request() const { return request_; }
  bool stateless() const { return is_stateless(request_.envelope.revision); }
  /// The host has answered: the handler is called again.
  void next_round(Round& round, const std::string& state);
  TaskGroup::Id task = 0;
  /// No answer and no progress any more.
  bool cancelled = false;

 private:
  CallRequest request_;
  Calls& calls_;
  /// JSON; empty where the caller gave none.
  std::string progress_token_;
  std::optional<double> last_progress_;
  std::map<std::string, json::Document, std::less<>> answers_;
};

/// The requests in flight that take a task: each is answered when its task ends. Lives in a
/// `shared_ptr`, which the tasks share.
class Calls : public std::enable_shared_from_this<Calls> {
 public:
  /// `changed` is notified at the end of each call.
  Calls(asio::any_io_executor executor, Clock& clock, std::shared_ptr<const ServerInfo> server,
        std::shared_ptr<OutputQueue> output, std::shared_ptr<Event> changed,
        std::size_t queue_limit);

  std::size_t size() const { return size_; }
  bool contains(const std::string& key) const { return by_key_.contains(key); }
  void start(CallRequest request);
  /// Unknown keys (ended already, never there) are ignored.
  void cancel(const std::string& key);
  void cancel_all();
  /// Returns when every task has ended.
  awaitable<void> join();
  /// Sends an answer, by way of its batch if it has one.
  void answer(Batch* batch, std::string_view json);
  /// One request of the batch ended, or its reading did.
  void close(Batch& batch);

  /// Sends what may as well not arrive, unless the output is full.
  void send_notice(std::string_view json);
  /// Sends a log message to a host of the negotiated revisions.
  void log(LogLevel level, std::string_view logger, std::string_view text);

  Questions& questions() { return questions_; }
  RequestStates& request_states() { return request_states_; }
  const ServerInfo& server() const { return *server_; }
  /// Adds what every result of a stateless revision has; `members` in front of it.
  void stamp(std::string& result, std::string_view members) const;
  /// From here on a host of the negotiated revisions takes log messages.
  LogLevel log_level = LogLevel::warning;

 private:
  struct Outcome {
    std::variant<std::monostate, ToolResult, ReadResult, PromptResult, Completion> gave;
    std::optional<encode::Error> error;
    std::exception_ptr failure;
    const InputNeeded* input() const;
  };
  static awaitable<void> run(std::shared_ptr<Calls> self, std::shared_ptr<ActiveCall> call);
  void ended(const ActiveCall& call, Outcome& outcome);
  /// The result's JSON, or an error left in `outcome`.
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
