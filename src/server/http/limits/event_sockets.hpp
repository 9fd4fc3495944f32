#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/limits/byte_budget.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

/// The clients that listen to events, of one sort, and what they may cost: connections, and bytes
/// that they do not take. Knows neither sockets nor events.
class EventSockets {
 public:
  struct Limits {
    /// The sort, for messages.
    std::string_view clients = "WebSocket clients";
    std::size_t all = 256;
    /// Of these the person can always have some.
    std::size_t for_the_person = 16;
    std::size_t one_token = 16;
    std::uint64_t bytes_of_one_client = std::uint64_t{4} << 20;
    std::uint64_t bytes_of_one_token = std::uint64_t{16} << 20;
    std::uint64_t bytes_of_all = std::uint64_t{64} << 20;
  };

  /// How a connection ends: with the status codes of RFC 6455 7.4.1, or without a word.
  enum class Close : std::uint16_t { cut = 0, replied = 1000, going_away = 1001, revoked = 1008 };

  /// What a client is to this: `sent` is called when the system has taken the bytes; it may be left
  /// out where the connection ended before.
  struct Wire {
    std::function<void(const std::string& frame, std::function<void()> sent)> send_text;
    std::function<void(const std::string& payload, std::function<void()> sent)> send_pong;
    std::function<void()> send_ping;
    /// Called once, when this is done with the client.
    std::function<void(Close)> close;
  };

  /// The owner of the clients that have the person's own credential; other owners are tokens.
  static constexpr std::string_view the_person = "";

  explicit EventSockets(Limits limits);

  /// The answer where `owner` may not have one more. Where all are taken, the person's oldest makes
  /// room for the person's newest.
  std::optional<Reply> refusal(std::string_view owner);
  /// The id of a client that `open` then serves.
  std::uint64_t next_id() { return ++last_id_; }
  void open(std::uint64_t id, std::string_view owner, Wire wire);
  /// Sends one text. Who reads too slowly is closed: the client itself, or whoever has most
  /// unsent bytes where those of several together are too many.
  void send(std::uint64_t id, const std::string& frame);
  /// Answered with a pong; of several that come before the client takes the first pong, the newest
  /// alone is (RFC 6455 5.5.3).
  void ping(std::uint64_t id, std::string payload);
  /// Pings every client, so that proxies keep its connection and a dead one shows: it is dropped
  /// when nothing has come from it since the last two.
  void ping_all();
  /// Something came from the client.
  void heard(std::uint64_t id);
  /// Closes it, if it is still there.
  void drop(std::uint64_t id, Close how = Close::cut);
  void drop_all(Close how = Close::cut);
  std::size_t size() const { return clients_.size(); }
  std::vector<std::uint64_t> ids() const;

 private:
  struct Client {
    std::string owner;
    Wire wire;
    std::shared_ptr<ByteBudget::Share> queued;
    bool ponging = false;
    int unanswered_pings = 0;
    std::optional<std::string> newest_ping;
  };

  bool make_room(std::uint64_t id, std::uint64_t bytes);
  std::size_t count(std::string_view owner) const;
  void pong_sent(std::uint64_t id);

  Limits limits_;
  ByteBudget unsent_;
  /// By age.
  std::map<std::uint64_t, Client> clients_;
  /// How many each owner has.
  std::map<std::string, std::size_t, std::less<>> counts_;
  std::uint64_t last_id_ = 0;
};

}  // namespace molecule::server
