#pragma once

#include <asio/ip/address.hpp>
#include <cstddef>
#include <map>

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

  struct Verdict {
    bool wait = false;
    bool refuse = false;
  };

  explicit GuessBrake(Clock& clock) : clock_(clock) {}

  /// Counts a wrong token.
  Verdict wrong(const asio::ip::address& address);
  /// Counts it where `reply` refuses the request's token. True: the reply, which may become a 429,
  /// has to wait for `delay`.
  bool slows(const asio::ip::address& address, const Request& request, Reply& reply);

 private:
  struct Count {
    double wrong = 0;
    Clock::time_point at;
  };
  double decayed(const Count& count, Clock::time_point now) const;

  Clock& clock_;
  std::map<asio::ip::address, Count> counts_;
};

}  // namespace molecule::server
