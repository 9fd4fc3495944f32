#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/result.hpp"
#include "server/api/context.hpp"
#include "server/http/message.hpp"
#include "server/http/request_screen.hpp"

namespace molecule::server {

/// Decides from a request's head whether a body of more than a few bytes may come into memory: for
/// nobody whose token is not known, and not too many bytes of all connections at a time.
class BodyAdmission {
 public:
  /// What a body may have whose sender is not known yet.
  static constexpr std::uint64_t most_unknown_bytes = std::uint64_t{64} << 10;
  /// Of the bodies that were admitted, as many uploads of the greatest size as this.
  static constexpr std::uint64_t most_uploads = 4;

  /// `context` must outlive this.
  explicit BodyAdmission(Context& context) : context_(context) {}

  /// The part of the decision that needs no head.
  std::uint64_t unasked_bytes() const;
  /// `head` has the method, the path and the Authorization; `declared` is the body's size, where it
  /// is known beforehand. The refusals: 413 (platform-api.md 10), 401 without a live token, for an
  /// upload without one of its workspace's, 503 with Retry-After where too much is held already.
  /// Never throws.
  Result<RequestScreen::Grant, Reply> admit(const Request& head,
                                            std::optional<std::uint64_t> declared);

 private:
  Context& context_;
  /// What the grants that are still held promise.
  std::shared_ptr<std::uint64_t> held_ = std::make_shared<std::uint64_t>(0);
};

}  // namespace molecule::server
