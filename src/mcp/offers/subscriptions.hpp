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

/// Who wants to know what has changed: the URIs of `resources/subscribe`, and the streams of
/// `subscriptions/listen`, whose notifications carry the id of the request that opened them.
class Subscriptions {
 public:
  Subscriptions(std::shared_ptr<const ServerInfo> server, std::shared_ptr<OutputQueue> output,
                Limits limits);

  /// False when there are too many.
  bool subscribe(std::string_view uri);
  void unsubscribe(std::string_view uri);

  /// Opens and acknowledges a stream for what was asked for and is offered, or tells what is wrong.
  std::optional<encode::Error> listen(const Message& message);
  /// Whether a stream with this key is open.
  bool contains(const std::string& key) const { return streams_.contains(key); }
  bool empty() const { return streams_.empty(); }
  /// The host is done with a stream: nothing is sent. Unknown keys are ignored.
  void cancel(const std::string& key) { streams_.erase(key); }

  /// Sends what belongs to a changed resource, as long as the output is not full. `initialized`:
  /// whether the host of `resources/subscribe` takes notifications.
  void updated(std::string_view uri, bool initialized);
  /// The server goes: answers every stream's request, which ends it.
  void end_all();

 private:
  using Uris = std::set<std::string, std::less<>>;
  struct Stream {
    /// The id of its request, as JSON.
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
