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
/// nobody whose token is not known, and not too many bytes of all connections, and of one token's,
/// at a time. What counts is what has come, not what a head declares.
class BodyAdmission {
 public:
  /// What a body may have whose sender is not known yet, and all such bodies together.
  static constexpr std::uint64_t most_unknown_bytes = std::uint64_t{64} << 10;
  static constexpr std::uint64_t most_unknown_bytes_of_all = std::uint64_t{32} << 20;
  /// Of the bodies that were admitted, as many uploads of the greatest size as this.
  static constexpr std::uint64_t most_uploads = 4;
  static constexpr std::uint64_t most_uploads_of_one = 2;

  /// `context` must outlive this.
  explicit BodyAdmission(Context& context);

  /// The part of the decision that needs no head.
  std::uint64_t unasked_bytes() const;
  std::shared_ptr<const ByteBudget> unasked() const { return unknown_; }
  /// `head` has the method, the path and the Authorization; `declared` is the body's size, where it
  /// is known beforehand. The refusals: 413 (platform-api.md 10), 401 without a live token, for an
  /// upload without one of its workspace's. Never throws.
  Result<RequestScreen::Grant, Reply> admit(const Request& head,
                                            std::optional<std::uint64_t> declared);

 private:
  Context& context_;
  ByteBudget known_;
  std::shared_ptr<const ByteBudget> unknown_ = std::make_shared<const ByteBudget>(
      ByteBudget::Limits{.one = most_unknown_bytes_of_all, .all = most_unknown_bytes_of_all});
};

}  // namespace molecule::server
