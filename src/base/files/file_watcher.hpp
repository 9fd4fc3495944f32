#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "base/async/asio.hpp"

namespace molecule {

/// Tells when a file is written to by any process, without looking at it again and again: inotify
/// on Linux, one descriptor for all files. Other systems have nothing that fits an event loop so
/// well: there `watch` gives false, and the caller looks from time to time, as he must anyway
/// where a watch was refused (the system allows so many).
class FileWatcher {
 public:
  /// Opens nothing: the first watch does.
  explicit FileWatcher(asio::any_io_executor executor);
  FileWatcher(const FileWatcher&) = delete;
  FileWatcher& operator=(const FileWatcher&) = delete;
  ~FileWatcher();

  /// Calls `on_write` from the loop after writes to the existing file, once for several that come
  /// together. False where it cannot be watched. The watch ends with the watcher.
  bool watch(const std::filesystem::path& file, std::function<void()> on_write);

  /// Does the calling. Ends only by cancellation.
  awaitable<void> run();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace molecule
