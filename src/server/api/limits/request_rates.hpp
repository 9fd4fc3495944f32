#pragma once

#include <asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async/clock.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

/// The rate limit (platform-api.md 0.6): a fixed window of a minute for each token. Presence and
/// polls count in a window of their own, so that an agent whose tools used up theirs stays online
/// and hears of its messages. The person's credentials have no limit. Requests without a right
/// credential count for the address that they come from.
class RequestRates {
 public:
  struct Verdict {
    std::int64_t limit = 0;
    std::int64_t remaining = 0;
    /// Until the window reopens, rounded up.
    std::int64_t seconds = 0;
    bool refused = false;
  };

  /// `clock` must outlive this.
  explicit RequestRates(Clock& clock) : clock_(clock) {}

  /// Counts a request of `token_id`, of which `per_minute` are allowed.
  Verdict count(std::string_view token_id, bool presence, std::int64_t per_minute);
  /// The same for an address (`client_network`). Only so many are known: where there are more,
  /// those that asked least are forgotten, so that a crowd of them neither shuts others out nor
  /// frees the busiest from their count.
  Verdict count(const asio::ip::address& client, std::int64_t per_minute);
  static constexpr std::size_t max_clients = 8192;
  std::size_t clients() const { return clients_.size(); }

  /// Requests that another instance has counted.
  struct Share {
    /// Of a window.
    std::string key;
    std::int64_t requests = 0;
  };
  /// What other instances have to know: what was counted here since the previous call, of the
  /// windows that are so full that the limit may be near. A limit of 0 is none.
  std::vector<Share> take_news(std::int64_t per_minute_of_token, std::int64_t per_minute_of_client);
  void add(const Share& share);

 private:
  struct Window {
    Clock::time_point opened;
    std::int64_t used = 0;
    /// Counted here, and not yet told.
    std::int64_t untold = 0;
  };
  using Windows = std::map<std::string, Window, std::less<>>;
  Verdict count_key(std::string key, std::int64_t per_minute);
  Window& window_of(std::string key, Clock::time_point now);
  void forget_old(Clock::time_point now);
  void forget_least_used();

  Clock& clock_;
  Windows windows_;
  /// Apart, because anybody can make these.
  Windows clients_;
  Clock::time_point cleaned_{};
};

/// True for what an agent does to be seen and to receive: its own limit's window.
bool is_presence(std::string_view method, std::string_view pattern);

/// The fields that every reply has: how much of the limit is left.
void add_rate_headers(Reply& reply, const RequestRates::Verdict& verdict);

/// The 429, for a token or for a client that showed none.
Reply rate_refusal(const RequestRates::Verdict& verdict);
Reply client_refusal(const RequestRates::Verdict& verdict);

}  // namespace molecule::server
