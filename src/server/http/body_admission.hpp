#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "base/async/asio.hpp"
#include "base/result.hpp"
#include "server/api/context.hpp"
#include "server/http/message.hpp"
#include "server/http/request_screen.hpp"

namespace molecule::server {

/// Decides from a request's head whether a body of more than a few bytes may come into memory: only
/// from a sender whose token is valid, and not too many bytes of all connections, and of one
/// token's, at a time. The bytes that have come count, not those that a head declares.
class BodyAdmission {
 public:
  /// The largest body from a sender that is not known yet, and of all such bodies together.
  static constexpr std::uint64_t max_unknown_bytes = std::uint64_t{64} << 10;
  static constexpr std::uint64_t max_unknown_bytes_of_all = std::uint64_t{32} << 20;
  /// Admitted bodies may have as many bytes as this many uploads of the maximum size.
  static constexpr std::uint64_t max_uploads = 4;
  static constexpr std::uint64_t max_uploads_of_one = 2;

  /// `services` must outlive this. `executor` is that of the loop.
  BodyAdmission(Services& services, asio::any_io_executor executor);

  /// The part of the decision that needs no head.
  std::uint64_t unasked_bytes() const;
  std::shared_ptr<const ByteBudget> unasked() const { return unknown_; }
  /// `head` has the method, the path and the Authorization; `declared` is the body's size, if it is
  /// known beforehand. The refusals: 413 (platform-api.md 10), 401 without a live token, for an
  /// upload without one of its workspace's, 503 with Retry-After if the store does not answer.
  /// Called on the loop. Never throws.
  Result<RequestScreen::Grant, Reply> admit(const Request& head,
                                            std::optional<std::uint64_t> declared);

 private:
  Services& services_;
  asio::any_io_executor executor_;
  ByteBudget known_;
  std::shared_ptr<const ByteBudget> unknown_ = std::make_shared<const ByteBudget>(
      ByteBudget::Limits{.one = max_unknown_bytes_of_all, .all = max_unknown_bytes_of_all});
};

}  // namespace molecule::server
