#include "net/engine.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <asio/posix/stream_descriptor.hpp>
#include <utility>

#include "net/transfer.hpp"

namespace molecule::net {

namespace {

/// About as many as a burst of a thousand workspaces uses at once.
constexpr long kept_connections = 32;

}  // namespace

/// A socket that libcurl wants watched. The descriptor is a duplicate, so that neither registering
/// nor closing it can affect another socket that got the same number meanwhile.
struct HttpClient::Engine::Watch {
  Watch(const asio::any_io_executor& executor, curl_socket_t socket_)
      : descriptor(executor), socket(socket_) {}
  asio::posix::stream_descriptor descriptor;
  curl_socket_t socket;
  int wanted = 0;   ///< CURL_POLL_IN, CURL_POLL_OUT or both
  int pending = 0;  ///< waits in flight, in the same bits
};

HttpClient::Engine::Engine(asio::any_io_executor executor)
    : executor_(std::move(executor)), timer_(executor_) {}

HttpClient::Engine::~Engine() {
  if (multi_ == nullptr) return;
  curl_->multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, nullptr);
  curl_->multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, nullptr);
  curl_->multi_cleanup(multi_);
}

Result<void, HttpError> HttpClient::Engine::start() {
  if (multi_ != nullptr) return {};
  Result<const CurlApi*, std::string> loaded = curl_api();
  if (!loaded) return Failure{HttpError{HttpErrc::other, loaded.error(), false}};
  curl_ = *loaded;
  multi_ = curl_->multi_init();
  if (multi_ == nullptr) return Failure{HttpError{HttpErrc::other, "out of memory", false}};
  curl_->multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Engine::on_socket);
  curl_->multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_->multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Engine::on_timer);
  curl_->multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_->multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kept_connections);
  return {};
}

void HttpClient::Engine::add(Transfer& transfer) {
  if (curl_->multi_add_handle(multi_, transfer.handle()) != CURLM_OK) {
    transfer.fail(HttpErrc::other, "libcurl did not take the request");
    return;
  }
  drive(CURL_SOCKET_TIMEOUT, 0);
}

void HttpClient::Engine::remove(Transfer& transfer) noexcept {
  curl_->multi_remove_handle(multi_, transfer.handle());
  unwatched_.clear();
}

/// libcurl counts connections in use, too, when it decides whether to keep one.
void HttpClient::Engine::keep_connections(std::size_t streams) {
  curl_->multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kept_connections + static_cast<long>(streams));
}

void HttpClient::Engine::drive(curl_socket_t socket, int events) {
  int running = 0;
  curl_->multi_socket_action(multi_, socket, events, &running);
  collect();
  // A transfer that lost a socket but is not done tries its next address only when it is driven,
  // which libcurl leaves to its next timer, seconds away.
  while (true) {
    const bool stuck = std::any_of(unwatched_.begin(), unwatched_.end(),
                                   [](const Transfer* transfer) { return !transfer->finished(); });
    unwatched_.clear();
    if (!stuck) return;
    curl_->multi_socket_all(multi_, &running);
    collect();
  }
}

void HttpClient::Engine::collect() {
  int left = 0;
  while (CURLMsg* message = curl_->multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    Transfer* transfer = Transfer::of(*curl_, message->easy_handle);
    if (transfer != nullptr) transfer->finish(message->data.result);
  }
}

void HttpClient::Engine::listen(const std::shared_ptr<Watch>& watch) {
  for (const int event : {CURL_POLL_IN, CURL_POLL_OUT}) {
    if ((watch->wanted & event) == 0 || (watch->pending & event) != 0) continue;
    watch->pending |= event;
    wait_for(watch, event);
  }
}

void HttpClient::Engine::wait_for(const std::shared_ptr<Watch>& watch, int event) {
  const auto kind = event == CURL_POLL_IN ? asio::posix::stream_descriptor::wait_read
                                          : asio::posix::stream_descriptor::wait_write;
  watch->descriptor.async_wait(
      kind, [engine = weak_from_this(), weak = std::weak_ptr(watch), event](std::error_code error) {
        const std::shared_ptr<Engine> self = engine.lock();
        const std::shared_ptr<Watch> held = weak.lock();
        if (!self || !held) return;
        held->pending &= ~event;
        if ((held->wanted & event) == 0) return;
        self->drive(held->socket, error                   ? CURL_CSELECT_ERR
                                  : event == CURL_POLL_IN ? CURL_CSELECT_IN
                                                          : CURL_CSELECT_OUT);
        // A descriptor that cannot be waited for would always be ready.
        if (!error) self->listen(held);
      });
}

bool HttpClient::Engine::watch_socket(curl_socket_t socket, int what, Watch* known) {
  std::shared_ptr<Watch> watch;
  if (known != nullptr) {
    watch = watches_.at(known);
  } else {
    const int duplicate = ::fcntl(socket, F_DUPFD_CLOEXEC, 3);
    if (duplicate < 0) return false;
    watch = std::make_shared<Watch>(executor_, socket);
    std::error_code error;
    (void)watch->descriptor.assign(duplicate, error);
    if (error) {
      ::close(duplicate);
      return false;
    }
    watches_.emplace(watch.get(), watch);
    curl_->multi_assign(multi_, socket, watch.get());
  }
  watch->wanted = what & CURL_POLL_INOUT;
  listen(watch);
  return true;
}

int HttpClient::Engine::on_socket(CURL* easy, curl_socket_t socket, int what, void* self,
                                  void* watch) {
  auto& engine = *static_cast<Engine*>(self);
  auto* known = static_cast<Watch*>(watch);
  Transfer* transfer = Transfer::of(*engine.curl_, easy);
  if (what == CURL_POLL_REMOVE) {
    if (known != nullptr) {
      known->wanted = 0;
      std::error_code ignored;
      (void)known->descriptor.close(ignored);
      engine.watches_.erase(known);
    }
    if (transfer != nullptr) engine.unwatched_.push_back(transfer);
  } else if (!engine.watch_socket(socket, what, known) && transfer != nullptr) {
    // Returning an error from here would permanently break the multi handle.
    transfer->fail(HttpErrc::other, "too many open files");
  }
  return 0;
}

int HttpClient::Engine::on_timer(CURLM*, long milliseconds, void* self) {
  auto& engine = *static_cast<Engine*>(self);
  if (milliseconds < 0) {
    engine.timer_.cancel();
    return 0;
  }
  engine.timer_.expires_after(std::chrono::milliseconds(milliseconds));
  engine.timer_.async_wait([weak = engine.weak_from_this()](std::error_code error) {
    if (error) return;
    if (const std::shared_ptr<Engine> held = weak.lock()) held->drive(CURL_SOCKET_TIMEOUT, 0);
  });
  return 0;
}

}  // namespace molecule::net
