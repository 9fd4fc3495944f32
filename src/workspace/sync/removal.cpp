#include "workspace/sync/removal.hpp"

#include <fmt/format.h>

#include <utility>

namespace molecule::workspace {

namespace {

/// One or two may be a token that is being replaced.
constexpr unsigned enough_rejections = 3;

}  // namespace

bool is_rejection(const platform::Error& error) {
  return error.code == platform::Errc::unauthorized || error.code == platform::Errc::forbidden;
}

Removal::Removal(platform::Client& client, std::function<void(std::string text)> on_removed)
    : client_(client), on_removed_(std::move(on_removed)) {}

bool Removal::suspected(const platform::Error& error, unsigned rejections) {
  if (error.code == platform::Errc::gone) return true;
  return is_rejection(error) && rejections >= enough_rejections;
}

awaitable<bool> Removal::confirmed() {
  if (removed_) co_return true;
  auto info = co_await client_.workspace_info();
  const bool gone = !info.ok() && info.error().code == platform::Errc::gone;
  if (gone && !std::exchange(removed_, true)) on_removed_(text(info.error()));
  co_return removed_;
}

std::string Removal::text(const platform::Error& error) const {
  return fmt::format(
      "workspace {} was removed from the platform{}{}: it is neither kept online nor polled any "
      "more. Regenerate workspace and token from the canvas → Tokens tab and restart",
      client_.endpoint().workspace_id, error.removed_at.empty() ? "" : " at ", error.removed_at);
}

}  // namespace molecule::workspace
