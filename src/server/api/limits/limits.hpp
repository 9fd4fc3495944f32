#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace molecule::server {

/// What one workspace may take of a platform that others use too. Defaults as the README states
/// them; the operator changes them (`--limit`, `--limits`, `RATE_LIMIT`).
struct Limits {
  /// Requests with one token in a minute; 0: any number.
  std::int64_t requests_per_minute = 600;
  /// Requests without a right credential from one address in a minute; 0: any number.
  std::int64_t client_requests_per_minute = 600;

  std::int64_t key_value_bytes = std::int64_t{128} << 20;
  std::int64_t memory_bytes = std::int64_t{64} << 20;
  /// The rows of its activity: messages and reports.
  std::int64_t message_bytes = std::int64_t{256} << 20;
  std::int64_t file_bytes = std::int64_t{512} << 20;
  std::int64_t files = 5000;
  std::int64_t tokens = 50;

  /// What one sender may have waiting in one inbox.
  std::int64_t sender_messages = 1000;
  std::int64_t sender_bytes = std::int64_t{32} << 20;

  /// Days for which rows are kept.
  std::int64_t acked_days = 7;
  std::int64_t message_days = 30;
  std::int64_t event_days = 7;
};

/// Sets the limit that `name` names ("files", "message-bytes", …). Sizes may end in K, M or G.
/// Returns the problem, if there is one.
std::optional<std::string> set_limit(Limits& limits, std::string_view name, std::string_view value);

/// Reads lines `name = value`; blank ones and those that begin with '#' are skipped. Returns the
/// first problem, with its line number.
std::optional<std::string> read_limits(Limits& limits, std::string_view text);

/// The names for `set_limit` with their values, one a line.
std::string describe_limits(const Limits& limits);

}  // namespace molecule::server
