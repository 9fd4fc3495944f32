#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "mcp/calls.hpp"
#include "mcp/encode.hpp"
#include "mcp/framing.hpp"
#include "mcp/message.hpp"
#include "mcp/revision.hpp"
#include "molecule/mcp/session.hpp"

namespace molecule::mcp {

/// Decides what each line gets: an answer at once, a task, or silence. Never waits.
class Dispatcher {
 public:
  using OnInitialized = std::function<void(const ClientInfo&)>;

  /// Throws `std::invalid_argument` where `server` holds JSON that is none, or a name twice.
  Dispatcher(ServerInfo server, std::shared_ptr<OutputQueue> output, std::shared_ptr<Calls> calls,
             Limits limits, OnInitialized on_initialized);

  /// The line's bytes are read no longer than this call.
  void dispatch(const Line& line);
  /// Whether the host has said that it takes notifications.
  bool initialized() const { return initialized_; }

 private:
  using BatchPointer = std::shared_ptr<Batch>;

  void handle(std::string_view text, const BatchPointer& batch);
  void handle_batch(std::string_view text, const BatchPointer& outer);
  void handle_request(const Message& message, const BatchPointer& batch);
  void handle_notification(const Message& message);
  void initialize(const Message& message, const BatchPointer& batch);
  void list_tools(const Message& message, const BatchPointer& batch);
  void call_tool(const Message& message, const BatchPointer& batch);

  void succeed(const Message& message, const BatchPointer& batch, std::string_view result);
  void fail(std::string_view id, const BatchPointer& batch, const encode::Error& error);

  std::shared_ptr<const ServerInfo> server_;
  std::shared_ptr<OutputQueue> output_;
  std::shared_ptr<Calls> calls_;
  Limits limits_;
  OnInitialized on_initialized_;
  json::Document document_;
  json::Document empty_object_;
  /// The answer being written; kept for its memory.
  std::string answer_;
  std::array<std::string, revision_count> tool_lists_;
  /// Until a host negotiates another: who calls without `initialize` is new rather than old.
  Revision revision_ = newest_revision;
  ClientInfo client_;
  bool negotiated_ = false;
  bool initialized_ = false;
};

}  // namespace molecule::mcp
