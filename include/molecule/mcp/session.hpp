#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/async/asio.hpp"
#include "base/async/clock.hpp"
#include "molecule/mcp/content.hpp"
#include "molecule/mcp/prompt.hpp"
#include "molecule/mcp/resource.hpp"
#include "molecule/mcp/tool.hpp"

namespace molecule::mcp {

/// Who is at the other end, from `initialize`; text of others, sanitised.
struct ClientInfo {
  std::string name;
  std::string version;
  /// The revision that was agreed on, e.g. `2025-06-18`.
  std::string protocol_version;
};

/// Which requests are served (mcp-protocol.md 1). `automatic`: each by the era that it belongs to.
enum class Era {
  automatic,
  initialize_only,  ///< what 2026-07-28 added is ignored, and its methods are unknown
  stateless_only    ///< a request without the required `_meta` is an error
};

/// What a server offers. A capability is declared for what is there, and only for that.
struct ServerInfo {
  std::string name;
  std::string title;
  std::string version;
  std::string instructions;
  std::vector<Tool> tools;
  /// `capabilities.experimental` as a JSON object's text, or empty.
  std::string experimental;
  std::vector<Resource> resources = {};
  std::vector<ResourceTemplate> resource_templates = {};
  /// Resources can be subscribed to: the program calls `Session::resource_updated`.
  bool resource_updates = false;
  std::vector<Prompt> prompts = {};
  /// Handlers call `Call::log`, or the program calls `Session::log`.
  bool logging = false;
  /// In the automatic era `server/discover` is an unknown method to hosts of these names
  /// (`clientInfo.name`), so that they fall back to `initialize`, where they take our pushes.
  std::vector<std::string> initialize_hosts = {};
  Era era = Era::automatic;
};

struct Limits {
  /// A longer line is answered with an error and skipped (mcp-protocol.md 3).
  std::size_t line_bytes = std::size_t{16} << 20;
  /// Reading stops while this much output waits for a slow reader (mcp-protocol.md 2).
  std::size_t queued_output_bytes = std::size_t{1} << 20;
  /// Reading stops while this many calls are in flight.
  std::size_t concurrent_calls = 1024;
  /// A list that is longer comes in pages of this many entries.
  std::size_t page_entries = 100;
  /// `subscriptions/listen` requests that are open at a time; one more is refused.
  std::size_t concurrent_listens = 32;
  /// URIs that one listen, or all of `resources/subscribe`, may name.
  std::size_t subscribed_resources = 1000;
};

enum class SessionEnd {
  end_of_input,   ///< the host closed its end; what was quickly answerable was answered
  output_closed,  ///< nobody reads any more (EPIPE), or it cannot be written (`output_failure`)
};

/// One MCP conversation over a pair of descriptors (stdio), any kind of file. Calls run beside
/// each other and are answered in the order in which they finish.
class Session {
 public:
  /// Takes neither descriptor's ownership, but makes both non-blocking (`Stdio` restores that).
  /// Throws `std::invalid_argument` where `server` holds JSON that is none or a tool's name twice,
  /// `std::system_error` where a descriptor cannot be used.
  Session(asio::any_io_executor executor, Clock& clock, ServerInfo server, int input, int output,
          Limits limits = {});
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  /// Called from the loop when `notifications/initialized` arrived: from then on notifications of
  /// the server's own may be sent.
  std::function<void(const ClientInfo&)> on_initialized;

  /// Called once from the loop when the first answer was handed to the kernel: what may wait for
  /// a disk or the network begins only then.
  std::function<void()> on_first_answer;

  /// Serves until one of the ends above. Cancelling the task cancels all calls, writes what is
  /// queued as far as the reader takes it at once, and throws `asio::error::operation_aborted`.
  /// Called once; the calling task must not end, nor the session go away, before it returned.
  awaitable<SessionEnd> run();
  /// errno of what made writing impossible (a file on a full disk); 0 where the reader has gone.
  int output_failure() const;

  /// Queues a notification; `params` is a JSON object's text. Dropped before `initialized`, and
  /// while the output queue is full (a push never counts as delivery). Throws
  /// `std::invalid_argument` for other params.
  void notify(std::string_view method, std::string_view params);

  /// Tells those who subscribed to `uri`, in either era, that it has changed. Dropped, like
  /// `notify`, where the output queue is full; nobody subscribed: nothing is done.
  void resource_updated(std::string_view uri);

  /// A `notifications/message` that belongs to no request: only hosts that said `initialized` get
  /// it, from the level on that they set (`warning` where they set none).
  void log(LogLevel level, std::string_view logger, std::string_view text);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace molecule::mcp
