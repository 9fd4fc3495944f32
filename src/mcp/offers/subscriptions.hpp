#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "mcp/wire/encode.hpp"
#include "mcp/wire/message.hpp"
#include "mcp/wire/output_queue.hpp"
#include "molecule/mcp/session.hpp"

namespace molecule::mcp {

/// The URIs of `resources/subscribe`, and the streams opened by `subscriptions/listen`. The
/// notifications of a stream carry the id of the request that opened it.
class Subscriptions {
 public:
  Subscriptions(std::shared_ptr<const ServerInfo> server, std::shared_ptr<OutputQueue> output,
                Limits limits);

  /// Returns false at the limit.
  bool subscribe(std::string_view uri);
  void unsubscribe(std::string_view uri);

  /// Opens and acknowledges a stream for the requested resources that exist, or returns the error.
  std::optional<encode::Error> listen(const Message& message);
  /// True if a stream with this key is open.
  bool contains(const std::string& key) const { return streams_.contains(key); }
  bool empty() const { return streams_.empty(); }
  /// Closes a stream at the host's request, without an answer. Unknown keys are ignored.
  void cancel(const std::string& key) { streams_.erase(key); }

  /// Notifies the subscribers of a changed resource, unless the output queue is full.
  /// `initialized`: the host of `resources/subscribe` accepts notifications.
  void updated(std::string_view uri, bool initialized);
  /// Ends every stream by answering its request; used when the server stops.
  void end_all();

 private:
  using Uris = std::set<std::string, std::less<>>;
  struct Stream {
    /// The id of the request that opened it, as JSON.
    std::string id;
    Uris uris;
  };
  void send_updated(std::string_view uri, std::string_view stream_id);

  std::shared_ptr<const ServerInfo> server_;
  std::shared_ptr<OutputQueue> output_;
  Limits limits_;
  Uris subscribed_;
  std::map<std::string, Stream> streams_;
};

}  // namespace molecule::mcp
