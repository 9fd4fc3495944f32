#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "mcp/calls/calls.hpp"
#include "mcp/offers/lists.hpp"
#include "mcp/offers/subscriptions.hpp"
#include "mcp/revision.hpp"
#include "mcp/wire/encode.hpp"
#include "mcp/wire/envelope.hpp"
#include "mcp/wire/framing.hpp"
#include "mcp/wire/message.hpp"
#include "molecule/mcp/session.hpp"

namespace molecule::mcp {

/// Handles one input line at a time: answers it at once, starts a task for it, or ignores it. Never
/// blocks.
class Dispatcher {
 public:
  using OnInitialized = std::function<void(const ClientInfo&)>;

  Dispatcher(std::shared_ptr<const ServerInfo> server, std::shared_ptr<OutputQueue> output,
             std::shared_ptr<Calls> calls, Limits limits, OnInitialized on_initialized);

  /// See `Session::on_notification`.
  std::function<void(std::string_view method, json::Value params)> on_notification;

  /// Does not keep a view of the line after it returns.
  void dispatch(const Line& line);
  /// True once the host has sent `notifications/initialized`.
  bool initialized() const { return initialized_; }
  Subscriptions& subscriptions() { return subscriptions_; }

 private:
  using BatchPointer = std::shared_ptr<Batch>;

  /// A request, and the revision and host capabilities it is served under.
  struct Request {
    const Message& message;
    const BatchPointer& batch;
    Envelope envelope;
    bool stateless() const { return is_stateless(envelope.revision); }
  };
  /// The revisions that define a method.
  enum class Availability { negotiated_only, stateless_only, always };
  struct Method {
    std::string_view name;
    void (Dispatcher::*handle)(const Request&);
    Availability availability;
    bool (*offered)(const ServerInfo&);
  };
  static const Method* find_method(std::string_view name);

  void handle(std::string_view text, const BatchPointer& batch);
  void handle_batch(std::string_view text, const BatchPointer& outer);
  void handle_request(const Message& message, const BatchPointer& batch);
  void handle_notification(const Message& message);
  Result<Envelope, encode::Error> terms_of(const Message& message) const;

  void ping(const Request& request);
  void initialize(const Request& request);
  void discover(const Request& request);
  void set_log_level(const Request& request);
  void subscribe(const Request& request);
  void unsubscribe(const Request& request);
  void listen(const Request& request);
  void list_tools(const Request& request);
  void list_resources(const Request& request);
  void list_resource_templates(const Request& request);
  void list_prompts(const Request& request);
  void call_tool(const Request& request);
  void read_resource(const Request& request);
  void get_prompt(const Request& request);
  void complete(const Request& request);

  using List = std::string (*)(const ServerInfo&, lists::Page, Revision);
  void list(const Request& request, List write, std::size_t entries);
  /// Starts a task; `arguments` must live in the request's document or in `variables`.
  void start(const Request& request, Work work, json::Value arguments, json::Document variables);
  void fail_not_found(const Request& request, std::string_view uri);
  void fail_unknown_method(const Message& message, const BatchPointer& batch);

  /// In a stateless revision, `members` are added to the result.
  void succeed(const Request& request, std::string result, std::string_view members = {});
  void fail(const Request& request, const encode::Error& error);
  void fail(std::string_view id, const BatchPointer& batch, const encode::Error& error);

  std::shared_ptr<const ServerInfo> server_;
  std::shared_ptr<OutputQueue> output_;
  std::shared_ptr<Calls> calls_;
  Limits limits_;
  OnInitialized on_initialized_;
  Subscriptions subscriptions_;
  json::Document document_;
  json::Document empty_object_;
  /// Scratch buffer for the answer, kept to avoid allocations.
  std::string answer_;
  /// The first page of `tools/list` per revision, cached because hosts ask for it most.
  std::array<std::string, revision_count> tool_lists_;
  /// The terms of the negotiated revisions. Before `initialize` they default to the newest one,
  /// because a host that skips `initialize` is more likely new than old.
  Envelope terms_;
  ClientInfo client_;
  bool negotiated_ = false;
  bool initialized_ = false;
};

}  // namespace molecule::mcp
