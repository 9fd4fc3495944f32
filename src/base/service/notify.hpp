#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace molecule::service {

/// Tells the service manager how the program is (the protocol of sd_notify, without its library).
/// Does nothing where no manager listens.
class Notifier {
 public:
  /// Takes NOTIFY_SOCKET and WATCHDOG_* out of the environment, so that no child speaks for us.
  Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;
  ~Notifier();

  bool listened_to() const { return fd_ >= 0; }
  /// How often `alive` must be called: a third of what the manager allows. Empty: never.
  std::optional<std::chrono::microseconds> watchdog_interval() const { return watchdog_; }

  /// The start is done. `status` is one line for people.
  void ready(std::string_view status);
  /// What the program is at; sent only if it differs from the last one.
  void status(std::string_view text);
  /// Call it from the event loop only: it shows that the loop turns.
  void alive();
  /// The configuration is read again; `ready` ends it.
  void reloading();
  void stopping(std::string_view status);
  /// The present step may last that long from now.
  void extend_timeout(std::chrono::microseconds more);

 private:
  void send(const std::string& state);

  int fd_ = -1;
  std::string address_;
  std::optional<std::chrono::microseconds> watchdog_;
  std::string last_status_;
};

/// The first descriptor that the service manager passed, already listening, if it passed any
/// (socket activation); takes LISTEN_* out of the environment. `problem` is set if there are
/// several, of which only one can be served.
std::optional<int> activated_socket(std::string& problem);

}  // namespace molecule::service
