#include "workspace/sync/removal.hpp"

#include <fmt/format.h>

namespace molecule::workspace {

namespace {

/// One or two may come from a token that is being replaced.
constexpr unsigned min_rejections = 3;

}  // namespace

Escalation::Say Escalation::rejected() {
  ++count_;
  if (count_ < min_rejections) return Say::warning;
  return (count_ - min_rejections) % 20 == 0 ? Say::error : Say::nothing;
}

bool is_rejection(const platform::Error& error) {
  return error.code == platform::Errc::unauthorized || error.code == platform::Errc::forbidden;
}

bool Removal::suspected(const platform::Error& error, unsigned rejections) {
  if (error.code == platform::Errc::gone) return true;
  return is_rejection(error) && rejections >= min_rejections;
}

awaitable<bool> Removal::confirmed() {
  if (!reason_.empty()) co_return true;
  auto info = co_await client_.workspace_info();
  exists_ = info.ok();
  if (!info.ok() && info.error().code == platform::Errc::gone) reason_ = describe(info.error());
  co_return !reason_.empty();
}

std::string Removal::describe_rejections(std::string_view call, const platform::Error& error,
                                         unsigned count, std::string_view source) const {
  const std::string_view workspace = client_.endpoint().workspace_id;
  const std::string rejected =
      fmt::format("{}: {} rejected in a row (HTTP {})", call, count, error.status);
  if (exists_) {
    return fmt::format("{}: the token was revoked or replaced; workspace {} still exists. {}",
                       rejected, workspace, rejection_advice(source));
  }
  return fmt::format(
      "{}: the token was revoked, probably because workspace {} was deleted. Regenerate workspace "
      "and token from the canvas → Tokens tab and restart",
      rejected, workspace);
}

std::string Removal::rejection_advice(std::string_view source) const {
  return fmt::format("Put the new token (canvas → Tokens tab) into {}; no restart is needed",
                     source);
}

std::string Removal::describe(const platform::Error& error) const {
  return fmt::format(
      "workspace {} was removed from the platform{}{}: it is no longer kept online or polled. "
      "Regenerate workspace and token from the canvas → Tokens tab and restart",
      client_.endpoint().workspace_id, error.removed_at.empty() ? "" : " at ", error.removed_at);
}

}  // namespace molecule::workspace
