#include "base/files/file_watcher.hpp"

#include <algorithm>
#include <array>
#include <asio/posix/stream_descriptor.hpp>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <utility>

#ifdef MOLECULE_LINUX
#include <sys/inotify.h>
#endif

#include "base/async/event.hpp"

namespace molecule {

struct FileWatcher::State {
  explicit State(asio::any_io_executor executor) : inotify(executor), opened(clock) {}

  asio::posix::stream_descriptor inotify;
  SystemClock clock;
  /// Notified when the first watch is added: there is a descriptor to read from.
  Event opened;
  struct Watch {
    std::vector<std::string> names;
    std::function<void(const std::string& name)> on_write;
  };
  std::map<int, Watch> watches;
};

FileWatcher::FileWatcher(asio::any_io_executor executor)
    : state_(std::make_unique<State>(std::move(executor))) {}

FileWatcher::~FileWatcher() = default;

#ifdef MOLECULE_LINUX

namespace {

/// A watch, and the name of a file.
using Written = std::pair<int, std::string>;

std::set<Written> files_of(const char* bytes, std::size_t size) {
  std::set<Written> found;
  while (size >= sizeof(inotify_event)) {
    inotify_event event{};
    std::memcpy(&event, bytes, sizeof event);
    const std::size_t length = sizeof event + event.len;
    if (length > size) break;
    // The name is padded with zeros.
    const char* name = bytes + sizeof event;
    found.emplace(event.wd, std::string(name, ::strnlen(name, event.len)));
    bytes += length;
    size -= length;
  }
  return found;
}

}  // namespace

bool FileWatcher::watch(const std::filesystem::path& folder, std::vector<std::string> names,
                        std::function<void(const std::string& name)> on_write) {
  State& state = *state_;
  if (!state.inotify.is_open()) {
    const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) return false;
    state.inotify.assign(fd);
    state.opened.notify_all();
  }
  const int watch = ::inotify_add_watch(state.inotify.native_handle(), folder.c_str(),
                                        IN_MODIFY | IN_MOVED_TO | IN_ONLYDIR);
  if (watch < 0) return false;
  state.watches[watch] = {.names = std::move(names), .on_write = std::move(on_write)};
  return true;
}

awaitable<void> FileWatcher::run() {
  State& state = *state_;
  while (!state.inotify.is_open()) co_await state.opened.wait();
  std::array<char, 4096> buffer;
  while (true) {
    const asio::mutable_buffer into = asio::buffer(buffer);
    auto [error, size] = co_await state.inotify.async_read_some(into, as_tuple);
    if (error) throw std::system_error(error);
    for (const Written& written : files_of(buffer.data(), size)) {
      const auto found = state.watches.find(written.first);
      if (found == state.watches.end()) continue;
      const State::Watch& watch = found->second;
      if (std::ranges::find(watch.names, written.second) == watch.names.end()) continue;
      watch.on_write(written.second);
    }
  }
}

#else

bool FileWatcher::watch(const std::filesystem::path&, std::vector<std::string>,
                        std::function<void(const std::string& name)>) {
  return false;
}

awaitable<void> FileWatcher::run() {
  while (true) co_await state_->opened.wait();
}

#endif

}  // namespace molecule
