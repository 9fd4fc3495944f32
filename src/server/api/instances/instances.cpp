#include "server/api/instances/instances.hpp"

#include <algorithm>
#include <utility>

#include "base/random.hpp"

namespace molecule::server {

namespace {

constexpr std::size_t max_line = 4'000;
/// Unlike a request's, an instance's id need not be secret, only its own.
constexpr std::size_t id_bytes = 9;

}  // namespace

Instances::Instances(store::Signals* signals) : signals_(signals), id_(random_token(id_bytes)) {}

void Instances::tell(Subject subject, std::string_view text) {
  if (signals_ == nullptr || text.size() >= max_line) return;
  const std::string line = '\n' + std::string(1, static_cast<char>(subject)) + std::string(text);
  if (line.find('\n', 1) != std::string::npos) return;
  const std::size_t found = lines_.find(line);
  const std::size_t end = found + line.size();
  const bool told = found != std::string::npos && (end == lines_.size() || lines_[end] == '\n');
  if (told) return;
  if (id_.size() + lines_.size() + line.size() > store::Signals::max_bytes) flush();
  lines_ += line;
  if (flushing_ || !executor_) return;
  // Whatever else this turn of the loop has to tell goes with it.
  flushing_ = true;
  asio::post(executor_, [this] {
    flushing_ = false;
    flush();
  });
}

void Instances::flush() {
  if (!lines_.empty()) signals_->send(id_ + std::exchange(lines_, {}));
}

void Instances::hear(std::string_view text) {
  const std::size_t id_end = std::min(text.find('\n'), text.size());
  const bool own = text.substr(0, id_end) == id_;
  text.remove_prefix(id_end);
  while (!text.empty()) {
    text.remove_prefix(1);
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size());
    if (line.empty()) continue;
    const auto subject = static_cast<Subject>(line.front());
    // Own events come back too, so that each instance has all of them in one order. The rest is
    // known here.
    if (own && subject != Subject::rows && subject != Subject::event) continue;
    const auto handler = handlers_.find(subject);
    if (handler != handlers_.end()) handler->second(line.substr(1));
  }
}

awaitable<void> Instances::run(std::function<void()> connected) {
  if (signals_ == nullptr) co_return;
  executor_ = co_await asio::this_coro::executor;
  store::Signals::Handlers handlers;
  handlers.heard = [this](std::string_view text) { hear(text); };
  handlers.connected = [this, connected = std::move(connected)] {
    flush();
    connected();
  };
  co_await signals_->run(std::move(handlers));
}

}  // namespace molecule::server
