#pragma once

#include <string>

#include "platform/client.hpp"

namespace molecule::workspace {

/// The platform says that the caller or its token does not belong to the workspace (401, 403).
bool is_rejection(const platform::Error& error);

/// Whether the platform has removed the workspace. On some platforms most calls do not show it: the
/// token of a removed workspace is refused like a wrong one, and its heartbeat is refused too, or
/// still accepted (platform-api.md 0.2, 1.2). The workspace's own entry shows it.
class Removal {
 public:
  explicit Removal(platform::Client& client) : client_(client) {}
  Removal(const Removal&) = delete;
  Removal& operator=(const Removal&) = delete;

  /// True if `error` is a reason to ask, after this many consecutive rejections.
  static bool suspected(const platform::Error& error, unsigned rejections);
  /// Asks the platform, unless it has confirmed the removal before.
  awaitable<bool> confirmed();
  /// The text for people; empty until the removal is confirmed.
  const std::string& reason() const { return reason_; }

 private:
  std::string describe(const platform::Error& error) const;

  platform::Client& client_;
  std::string reason_;
};

}  // namespace molecule::workspace
