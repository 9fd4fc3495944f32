#pragma once

#include <asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

#include "base/async/clock.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

/// Slows down who tries tokens: answers to wrong ones of an address wait when there were many of
/// them of late, and say 429 when there were very many. Right ones are not asked about here, so
/// that a guesser locks nobody out who shares the address, as behind a proxy all do.
class GuessBrake {
 public:
  /// Wrong tokens a minute of an address that cost nothing: agents whose token was revoked go on
  /// asking for a while, and must be told so.
  static constexpr double free_per_minute = 300;
  static constexpr double max_per_minute = 3000;
  static constexpr std::chrono::seconds delay{1};

  /// The same for the login of a browser, which only a person tries (page.md 1.3).
  static constexpr double logins_per_minute = 5;

  /// What is guessed.
  enum class Secret { token, login };

  struct Verdict {
    bool wait = false;
    bool refuse = false;
  };

  explicit GuessBrake(Clock& clock) : clock_(clock) {}

  /// Called for each wrong one: other instances count it too.
  std::function<void(std::string_view text)> tell = {};
  /// Counts what another instance told.
  void hear(std::string_view text);

  /// Counts a wrong one.
  Verdict wrong(const asio::ip::address& address, Secret secret = Secret::token);
  /// Counts it where `reply` refuses the request's token. True: the reply, which may become a 429,
  /// has to wait for `delay`.
  bool slows(const Request& request, Reply& reply);

 private:
  struct Count {
    double wrong = 0;
    Clock::time_point at;
  };
  using Key = std::pair<asio::ip::address, Secret>;
  double decayed(const Key& key, const Count& count, Clock::time_point now) const;

  Clock& clock_;
  std::map<Key, Count> counts_;
  std::uint64_t told_ = 0;
};

}  // namespace molecule::server
