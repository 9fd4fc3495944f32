#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "server/access/caller.hpp"
#include "server/api/events/events.hpp"
#include "server/http/limits/event_sockets.hpp"
#include "server/http/message.hpp"
#include "server/http/screened_socket.hpp"

namespace molecule::server {

/// Whose share of the listeners a caller takes.
std::string event_owner(const Caller& caller);

/// The open event streams: answers without an end, of text/event-stream (platform-api.md 2.10).
/// Each costs a connection, and little memory while its client reads.
class EventStreams {
 public:
  /// `events` must outlive this.
  EventStreams(EventHub& events, std::size_t max_connections);

  /// The answer where `caller` may not have one more.
  std::optional<Reply> refusal(const Caller& caller) {
    return sockets_.refusal(event_owner(caller));
  }
  /// Answers with the head of `reply` and a first comment, and then with the events that it says,
  /// until the client leaves, reads too slowly, or has no more right to them.
  void open(ScreenedSocket socket, const Reply& reply);
  /// Call this every `round_interval`: each stream gets a comment every 15 s, so that a proxy keeps
  /// it and a client that is gone shows; all of them spread over that time, so that thousands of
  /// streams hold up nobody.
  void keep_alive();
  static constexpr std::chrono::milliseconds round_interval{100};
  void drop_all() { sockets_.drop_all(); }
  std::size_t size() const { return sockets_.size(); }

 private:
  class Connection;

  EventHub& events_;
  EventSockets sockets_;
  std::uint64_t round_ = 0;
};

}  // namespace molecule::server
