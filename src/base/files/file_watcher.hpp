#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/async/asio.hpp"

namespace molecule {

/// Reports writes to files by any process without polling them: inotify on Linux, one descriptor
/// for all folders. Other systems have nothing that fits an event loop as well: there `watch`
/// returns false and the caller polls, as it must anyway when the system's limit of watches is
/// reached.
class FileWatcher {
 public:
  /// Opens nothing; the first watch does.
  explicit FileWatcher(asio::any_io_executor executor);
  FileWatcher(const FileWatcher&) = delete;
  FileWatcher& operator=(const FileWatcher&) = delete;
  ~FileWatcher();

  /// Calls `on_write` from the loop after writes to any file of that name in the folder, once for
  /// several writes in quick succession; the file may come and go. Replaces an earlier watch of the
  /// folder. Returns false if it cannot be watched. The watch ends with the watcher.
  bool watch(const std::filesystem::path& folder, std::vector<std::string> names,
             std::function<void(const std::string& name)> on_write);

  /// Makes these calls. Ends only by cancellation.
  awaitable<void> run();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace molecule
