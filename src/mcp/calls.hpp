#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "mcp/output_queue.hpp"
#include "mcp/revision.hpp"
#include "molecule/base/event.hpp"
#include "molecule/base/tasks.hpp"
#include "molecule/mcp/tool.hpp"

namespace molecule::mcp {

/// The answers to one batch, sent as an array when the last of its requests has ended.
struct Batch {
  std::string answers;
  /// Requests that have not ended yet, and one for the reading of the batch itself.
  std::size_t open = 1;
};

/// What a `tools/call` asked for.
struct CallRequest {
  std::shared_ptr<const Tool> tool;
  Revision revision;
  std::string id;
  std::string key;
  /// `params` and `arguments` view the document.
  json::Document document;
  json::Value params;
  json::Value arguments;
  /// Null for a call outside of a batch.
  std::shared_ptr<Batch> batch;
};

/// One call in flight, as its handler sees it.
class ActiveCall final : public Call {
 public:
  ActiveCall(CallRequest request, std::shared_ptr<OutputQueue> output, std::size_t queue_limit);
  json::Value arguments() const override { return request_.arguments; }
  std::optional<std::string_view> meta(std::string_view key) const override;
  void progress(double progress, std::optional<double> total, std::string_view message) override;

  const CallRequest& request() const { return request_; }
  TaskGroup::Id task = 0;
  /// No answer and no progress any more.
  bool cancelled = false;

 private:
  CallRequest request_;
  std::shared_ptr<OutputQueue> output_;
  std::size_t queue_limit_;
  /// JSON; empty where the caller gave none.
  std::string progress_token_;
  std::optional<double> last_progress_;
};

/// The tool calls in flight: each a task of its own, answered when it ends. Lives in a
/// `shared_ptr`, which the tasks share.
class Calls : public std::enable_shared_from_this<Calls> {
 public:
  /// `changed` is notified at the end of each call.
  Calls(asio::any_io_executor executor, Clock& clock, std::shared_ptr<OutputQueue> output,
        std::shared_ptr<Event> changed, std::size_t queue_limit);

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

 private:
  struct Outcome {
    std::optional<ToolResult> result;
    std::exception_ptr error;
  };
  static awaitable<void> run(std::shared_ptr<Calls> self, std::shared_ptr<ActiveCall> call);
  void ended(const ActiveCall& call, const Outcome& outcome);

  std::shared_ptr<OutputQueue> output_;
  std::shared_ptr<Event> changed_;
  std::size_t queue_limit_;
  TaskGroup tasks_;
  std::unordered_map<std::string, std::shared_ptr<ActiveCall>> by_key_;
  std::size_t size_ = 0;
};

}  // namespace molecule::mcp
