#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/async/asio.hpp"
#include "base/async/clock.hpp"
#include "base/json/reader.hpp"
#include "molecule/mcp/content.hpp"
#include "molecule/mcp/prompt.hpp"
#include "molecule/mcp/resource.hpp"
#include "molecule/mcp/tool.hpp"

namespace molecule::mcp {

/// The host as it described itself in `initialize`. Untrusted text, sanitised to one line.
struct ClientInfo {
  std::string name;
  std::string version;
  /// The negotiated revision, for example `2025-06-18`.
  std::string protocol_version;
};

/// Which generation of the protocol is served (mcp-protocol.md 1).
enum class Era {
  automatic,        ///< each request is served by the era it belongs to
  initialize_only,  ///< up to 2025-11-25: what 2026-07-28 added is ignored or an unknown method
  stateless_only    ///< 2026-07-28: a request without the required `_meta` fails
};

/// What a server offers. It declares exactly the capabilities that it has entries for.
struct ServerInfo {
  std::string name;
  std::string title;
  std::string version;
  std::string instructions;
  std::vector<Tool> tools;
  /// `capabilities.experimental`: the text of a JSON object, or empty.
  std::string experimental;
  std::vector<Resource> resources = {};
  std::vector<ResourceTemplate> resource_templates = {};
  /// Hosts may subscribe to resources. Set it if the program calls `Session::resource_updated`.
  bool resource_updates = false;
  std::vector<Prompt> prompts = {};
  /// Set it if handlers call `Call::log` or the program calls `Session::log`.
  bool logging = false;
  /// Hosts (by `clientInfo.name`) that support push notifications only after `initialize`. In
  /// `Era::automatic` they get "method not found" for `server/discover`, so that they fall back.
  std::vector<std::string> initialize_hosts = {};
  Era era = Era::automatic;
};

struct Limits {
  /// A longer line is skipped and answered with an error (mcp-protocol.md 3).
  std::size_t line_bytes = std::size_t{16} << 20;
  /// Reading pauses while more output than this is waiting for a slow reader (mcp-protocol.md 2).
  std::size_t queued_output_bytes = std::size_t{1} << 20;
  /// Reading pauses while this many calls are in flight.
  std::size_t concurrent_calls = 1024;
  /// Entries per page of a list.
  std::size_t page_entries = 100;
  /// Open `subscriptions/listen` requests; further ones are refused.
  std::size_t concurrent_listens = 32;
  /// URIs per `subscriptions/listen` request, and in total for `resources/subscribe`.
  std::size_t subscribed_resources = 1000;
};

/// Why a session ended.
enum class SessionEnd {
  end_of_input,   ///< the host closed its end; calls that finished within 50 ms were answered
  output_closed,  ///< the reader is gone (EPIPE), or writing failed (`output_failure`)
};

/// One MCP conversation over a pair of file descriptors (pipe, socket, terminal or file). Calls run
/// concurrently and are answered in the order in which they finish. Used from one thread, the one
/// that runs the event loop.
class Session {
 public:
  /// Does not take ownership of the descriptors, but makes both non-blocking (`Stdio` restores
  /// that). `clock` must outlive the session. Throws `std::invalid_argument` if `server` contains
  /// malformed JSON or a duplicate name or URI, and `std::system_error` if a descriptor is
  /// unusable.
  Session(asio::any_io_executor executor, Clock& clock, ServerInfo server, int input, int output,
          Limits limits = {});
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  /// Called when `notifications/initialized` arrives. From then on the session may send
  /// notifications of its own.
  std::function<void(const ClientInfo&)> on_initialized;

  /// Called for each notification that the session itself has no use for, once the host has sent
  /// `notifications/initialized`. `params` is valid during the call.
  std::function<void(std::string_view method, json::Value params)> on_notification;

  /// Called once, when the first output has been written. Start work that touches the disk or the
  /// network here, so that it does not delay the first answer.
  std::function<void()> on_first_answer;

  /// Serves until the input ends or the output closes. Call it once, and keep the session alive
  /// until it returns. Cancelling the task cancels every call, writes as much queued output as the
  /// reader takes without waiting, and throws `asio::error::operation_aborted`.
  awaitable<SessionEnd> run();
  /// errno of the write that failed (a file on a full disk); 0 if the reader is gone.
  int output_failure() const;

  /// Queues a notification; `params` is the text of a JSON object. Dropped before
  /// `notifications/initialized` and while the output queue is full, so a push never counts as
  /// delivery. Throws `std::invalid_argument` if `params` is not a JSON object.
  void notify(std::string_view method, std::string_view params);

  /// Sends `notifications/resources/updated` for `uri` to its subscribers, of either era. Dropped
  /// while the output queue is full.
  void resource_updated(std::string_view uri);

  /// Sends a `notifications/message` that belongs to no request. Reaches only hosts that sent
  /// `notifications/initialized`, at or above the level they set (default: `warning`).
  void log(LogLevel level, std::string_view logger, std::string_view text);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace molecule::mcp
