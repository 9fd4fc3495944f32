#pragma once

#include <functional>
#include <string>

#include "platform/client.hpp"

namespace molecule::workspace {

/// The platform knows the caller, or its token, not to belong to the workspace (401, 403).
bool is_rejection(const platform::Error& error);

/// Whether the platform has removed the workspace, for all who notice something. No other call
/// tells on every platform: the token of a removed workspace is refused like a wrong one, and its
/// heartbeat is refused too or taken for ever (platform-api.md 0.2, 1.2). Its page tells.
class Removal {
 public:
  /// `on_removed` gets a text for people, once.
  Removal(platform::Client& client, std::function<void(std::string text)> on_removed);
  Removal(const Removal&) = delete;
  Removal& operator=(const Removal&) = delete;

  /// Whether `error` is a reason to ask, for a caller that was rejected so often in a row.
  static bool suspected(const platform::Error& error, unsigned rejections);
  /// Asks the platform, unless it has said so before.
  awaitable<bool> confirmed();
  /// Whether it was said already.
  bool known() const { return removed_; }

 private:
  std::string text(const platform::Error& error) const;

  platform::Client& client_;
  std::function<void(std::string text)> on_removed_;
  bool removed_ = false;
};

}  // namespace molecule::workspace
