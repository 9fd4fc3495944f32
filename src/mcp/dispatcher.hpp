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

/// Decides what each line gets: an answer at once, a task, or silence. Never waits.
class Dispatcher {
 public:
  using OnInitialized = std::function<void(const ClientInfo&)>;

  Dispatcher(std::shared_ptr<const ServerInfo> server, std::shared_ptr<OutputQueue> output,
             std::shared_ptr<Calls> calls, Limits limits, OnInitialized on_initialized);

  /// The line's bytes are read no longer than this call.
  void dispatch(const Line& line);
  /// Whether the host has said that it takes notifications.
  bool initialized() const { return initialized_; }
  Subscriptions& subscriptions() { return subscriptions_; }

 private:
  using BatchPointer = std::shared_ptr<Batch>;

  /// A request and the terms under which it is served.
  struct Request {
    const Message& message;
    const BatchPointer& batch;
    Envelope envelope;
    bool stateless() const { return is_stateless(envelope.revision); }
  };
  /// Which revisions have a method.
  enum class Since { negotiated_only, stateless_only, always };
  struct Method {
    std::string_view name;
    void (Dispatcher::*handle)(const Request&);
    Since since;
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
  /// Starts a task; `arguments` is an object of the request's.
  void start(const Request& request, Work work, json::Value arguments, json::Document variables);
  void fail_not_found(const Request& request, std::string_view uri);
  void fail_unknown_method(const Message& message, const BatchPointer& batch);

  /// `members` are added in a stateless revision.
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
  /// The answer being written; kept for its memory.
  std::string answer_;
  /// The first pages, as they are asked for most.
  std::array<std::string, revision_count> tool_lists_;
  /// Of the negotiated revisions. Until a host negotiates another: who calls without `initialize`
  /// is new rather than old.
  Envelope terms_;
  ClientInfo client_;
  bool negotiated_ = false;
  bool initialized_ = false;
};

}  // namespace molecule::mcp
