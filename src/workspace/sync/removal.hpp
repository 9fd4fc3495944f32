#pragma once

#include <string>

#include "platform/client.hpp"

namespace molecule::workspace {

/// The platform says that the caller or its token does not belong to the workspace (401, 403).
bool is_rejection(const platform::Error& error);

/// Whether the platform has removed the workspace. Most calls do not tell on every platform: the
/// token of a removed workspace is refused like a wrong one, and its heartbeat is refused too, or
/// accepted without end (platform-api.md 0.2, 1.2). The workspace's own entry tells.
class Removal {
 public:
  explicit Removal(platform::Client& client) : client_(client) {}
  Removal(const Removal&) = delete;
  Removal& operator=(const Removal&) = delete;

  /// True if `error` is a reason to ask, after so many rejections in a row.
  static bool suspected(const platform::Error& error, unsigned rejections);
  /// Asks the platform, unless it has confirmed the removal before.
  awaitable<bool> confirmed();
  /// What people are told of it; empty until it is confirmed.
  const std::string& reason() const { return reason_; }

 private:
  std::string describe(const platform::Error& error) const;

  platform::Client& client_;
  std::string reason_;
};

}  // namespace molecule::workspace
