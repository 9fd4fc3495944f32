#include "server/http/limits/event_sockets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "server/http/http_request.hpp"

namespace molecule::server {

namespace {

/// RFC 6455 5.5.
constexpr std::size_t max_ping_bytes = 125;
constexpr int max_unanswered_pings = 2;

}  // namespace

EventSockets::EventSockets(Limits limits)
    : limits_(limits), unsent_({.one = limits.bytes_of_one_token, .all = limits.bytes_of_all}) {}

std::size_t EventSockets::count(std::string_view owner) const {
  const auto found = counts_.find(owner);
  return found == counts_.end() ? 0 : found->second;
}

std::vector<std::uint64_t> EventSockets::ids() const {
  std::vector<std::uint64_t> ids;
  ids.reserve(clients_.size());
  for (const auto& [id, client] : clients_) ids.push_back(id);
  return ids;
}

std::optional<Reply> EventSockets::refusal(std::string_view owner) {
  const std::size_t persons = count(the_person);
  if (owner == the_person) {
    if (clients_.size() < limits_.all) return std::nullopt;
    const auto oldest = std::find_if(clients_.begin(), clients_.end(), [](const auto& client) {
      return client.second.owner == the_person;
    });
    if (oldest == clients_.end()) return too_busy(fmt::format("too many {}", limits_.clients));
    drop(oldest->first);
    return std::nullopt;
  }
  if (count(owner) >= limits_.one_token) {
    return error_reply(429,
                       fmt::format("this token has too many {}: close one first", limits_.clients));
  }
  // What the person does not use stays free for the person.
  const std::size_t reserved =
      limits_.for_the_person > persons ? limits_.for_the_person - persons : 0;
  if (clients_.size() + reserved < limits_.all) return std::nullopt;
  return too_busy(fmt::format("too many {}", limits_.clients));
}

void EventSockets::open(std::uint64_t id, std::string_view owner, Wire wire) {
  Client& client = clients_[id];
  client.owner = owner;
  ++counts_[client.owner];
  client.wire = std::move(wire);
  client.queued = unsent_.share(owner);
}

/// False where the client itself was dropped.
bool EventSockets::make_room(std::uint64_t id, std::uint64_t bytes) {
  while (true) {
    const Client& client = clients_.at(id);
    const bool too_slow = client.queued->bytes() + bytes > limits_.bytes_of_one_client;
    if (!too_slow && client.queued->grow(bytes)) return true;
    // Another one's bytes may be in the way: of the same owner, or of all.
    auto slowest = clients_.find(id);
    const bool owners = unsent_.held_by(client.owner) + bytes > limits_.bytes_of_one_token;
    for (auto other = clients_.begin(); other != clients_.end() && !too_slow; ++other) {
      if (owners && other->second.owner != client.owner) continue;
      if (other->second.queued->bytes() > slowest->second.queued->bytes()) slowest = other;
    }
    log::warning("one of the {} does not read, and was dropped", limits_.clients);
    const std::uint64_t dropped = slowest->first;
    drop(dropped);
    if (dropped == id) return false;
  }
}

void EventSockets::send(std::uint64_t id, const std::string& frame) {
  if (!clients_.contains(id) || !make_room(id, frame.size())) return;
  const auto sent = [this, id, size = frame.size()] {
    const auto client = clients_.find(id);
    if (client != clients_.end()) client->second.queued->shrink(size);
  };
  clients_.at(id).wire.send_text(frame, sent);
}

void EventSockets::ping(std::uint64_t id, std::string payload) {
  const auto found = clients_.find(id);
  if (found == clients_.end() || payload.size() > max_ping_bytes) return;
  Client& client = found->second;
  if (client.ponging) {
    client.newest_ping = std::move(payload);
    return;
  }
  client.ponging = true;
  client.wire.send_pong(payload, [this, id] { pong_sent(id); });
}

void EventSockets::pong_sent(std::uint64_t id) {
  const auto found = clients_.find(id);
  if (found == clients_.end()) return;
  found->second.ponging = false;
  std::optional<std::string> next = std::exchange(found->second.newest_ping, std::nullopt);
  if (next) ping(id, *std::move(next));
}

void EventSockets::ping_all() {
  std::vector<std::uint64_t> dead;
  for (auto& [id, client] : clients_) {
    if (client.unanswered_pings >= max_unanswered_pings) {
      dead.push_back(id);
    } else {
      ++client.unanswered_pings;
      client.wire.send_ping();
    }
  }
  for (const std::uint64_t id : dead) drop(id);
}

void EventSockets::heard(std::uint64_t id) {
  const auto found = clients_.find(id);
  if (found != clients_.end()) found->second.unanswered_pings = 0;
}

void EventSockets::drop(std::uint64_t id, Close how) {
  const auto found = clients_.find(id);
  if (found == clients_.end()) return;
  const Client client = std::move(found->second);
  clients_.erase(found);
  if (const auto left = counts_.find(client.owner); --left->second == 0) counts_.erase(left);
  client.wire.close(how);
}

void EventSockets::drop_all(Close how) {
  while (!clients_.empty()) drop(clients_.begin()->first, how);
}

}  // namespace molecule::server
