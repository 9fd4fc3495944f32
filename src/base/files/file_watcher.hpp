#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "base/async/asio.hpp"

namespace molecule {

/// Reports writes to files by any process without polling them: inotify on Linux, one descriptor
/// for all files. Other systems have nothing that fits an event loop as well: there `watch` returns
/// false and the caller polls, as it must anyway when the system's limit of watches is reached.
class FileWatcher {
 public:
  /// Opens nothing; the first watch does.
  explicit FileWatcher(asio::any_io_executor executor);
  FileWatcher(const FileWatcher&) = delete;
  FileWatcher& operator=(const FileWatcher&) = delete;
  ~FileWatcher();

  /// Calls `on_write` from the loop after writes to the existing file, once for several writes in
  /// quick succession. Returns false if it cannot be watched. The watch ends with the watcher.
  bool watch(const std::filesystem::path& file, std::function<void()> on_write);

  /// Makes these calls. Ends only by cancellation.
  awaitable<void> run();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace molecule
