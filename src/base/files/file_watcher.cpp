#include "base/files/file_watcher.hpp"

#include <array>
#include <asio/posix/stream_descriptor.hpp>
#include <cstring>
#include <map>
#include <set>
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
  std::map<int, std::function<void()>> watches;
};

FileWatcher::FileWatcher(asio::any_io_executor executor)
    : state_(std::make_unique<State>(std::move(executor))) {}

FileWatcher::~FileWatcher() = default;

#ifdef MOLECULE_LINUX

namespace {

/// The watches of the events in the buffer.
std::set<int> watches_of(const char* bytes, std::size_t size) {
  std::set<int> found;
  while (size >= sizeof(inotify_event)) {
    inotify_event event{};
    std::memcpy(&event, bytes, sizeof event);
    found.insert(event.wd);
    const std::size_t length = sizeof event + event.len;
    if (length > size) break;
    bytes += length;
    size -= length;
  }
  return found;
}

}  // namespace

bool FileWatcher::watch(const std::filesystem::path& file, std::function<void()> on_write) {
  State& state = *state_;
  if (!state.inotify.is_open()) {
    const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) return false;
    state.inotify.assign(fd);
    state.opened.notify_all();
  }
  const int watch = ::inotify_add_watch(state.inotify.native_handle(), file.c_str(), IN_MODIFY);
  if (watch < 0) return false;
  state.watches[watch] = std::move(on_write);
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
    for (const int watch : watches_of(buffer.data(), size)) {
      const auto found = state.watches.find(watch);
      if (found != state.watches.end()) found->second();
    }
  }
}

#else

bool FileWatcher::watch(const std::filesystem::path&, std::function<void()>) {
  return false;
}

awaitable<void> FileWatcher::run() {
  while (true) co_await state_->opened.wait();
}

#endif

}  // namespace molecule
