#pragma once

#include <string>
#include <string_view>

#include "platform/client.hpp"

namespace molecule::workspace {

/// The platform says that the caller or its token does not belong to the workspace (401, 403).
bool is_rejection(const platform::Error& error);

/// How loudly to report heartbeats or polls that the platform rejects (401, 403) one after another
/// (molecule-mcp.md 4). Other failures do not count.
class Escalation {
 public:
  enum class Say { nothing, warning, error };

  /// One more rejection: the 1st and 2nd warn, the 3rd is an error and every 20th after it.
  Say rejected();
  void accepted() { count_ = 0; }
  unsigned count() const { return count_; }

 private:
  unsigned count_ = 0;
};

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
  /// For people: `call` was rejected `count` times in a row, and a new token is found in `source`.
  std::string describe_rejections(std::string_view call, const platform::Error& error,
                                  unsigned count, std::string_view source) const;
  /// What to do about it.
  std::string rejection_advice(std::string_view source) const;
  /// The text for people; empty until the removal is confirmed.
  const std::string& reason() const { return reason_; }

 private:
  std::string describe(const platform::Error& error) const;

  platform::Client& client_;
  std::string reason_;
  /// The platform showed the workspace when it was asked last.
  bool exists_ = false;
};

}  // namespace molecule::workspace
