#include "molecule/mcp/session.hpp"

#include <exception>
#include <utility>

#include "base/async/event.hpp"
#include "mcp/dispatcher.hpp"
#include "mcp/offers/catalog.hpp"
#include "mcp/wire/framing.hpp"
#include "mcp/wire/input.hpp"
#include "mcp/wire/output_queue.hpp"

namespace molecule::mcp {

namespace {

/// After the end of input: how long unfinished calls and a stalled reader may take. Both count from
/// the end of input, so the session ends within 100 ms (mcp-protocol.md 2).
constexpr auto call_grace = std::chrono::milliseconds(50);
constexpr auto drain_timeout = std::chrono::milliseconds(80);

}  // namespace

class Session::Impl {
 public:
  Impl(Session& session, asio::any_io_executor executor, Clock& clock, ServerInfo server, int input,
       int output, Limits limits)
      : clock_(clock),
        limits_(limits),
        changed_(std::make_shared<Event>(clock)),
        input_(executor, input),
        output_(std::make_shared<OutputQueue>(executor, clock, output, changed_)),
        server_(std::make_shared<const ServerInfo>(checked(std::move(server)))),
        calls_(std::make_shared<Calls>(executor, clock, server_, output_, changed_,
                                       limits.queued_output_bytes)),
        framer_(limits.line_bytes),
        dispatcher_(server_, output_, calls_, limits, [&session](const ClientInfo& client) {
          if (session.on_initialized) session.on_initialized(client);
        }) {
    dispatcher_.on_notification = [&session](std::string_view method, json::Value params) {
      if (session.on_notification) session.on_notification(method, params);
    };
    output_->on_first_write = [&session] {
      if (session.on_first_answer) session.on_first_answer();
    };
    output_->on_closed = [this] { input_.stop(); };
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    // Handlers already posted to the loop keep the queue alive after this object is gone.
    output_->on_first_write = nullptr;
    output_->on_closed = nullptr;
  }

  int output_failure() const { return output_->failure(); }

  awaitable<SessionEnd> run() {
    output_->start();
    SessionEnd end = SessionEnd::end_of_input;
    std::exception_ptr failure;
    try {
      end = co_await serve();
    } catch (...) {
      failure = std::current_exception();
    }
    // After a cancellation every await would throw. Reset the state to wait for our own tasks.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    calls_->cancel_all();
    co_await calls_->join();
    dispatcher_.subscriptions().end_all();
    output_->flush();
    co_await output_->stop();
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    if (failure) std::rethrow_exception(failure);
    co_return end;
  }

  void notify(std::string_view method, std::string_view params) {
    if (!dispatcher_.initialized() || output_->queued() > limits_.queued_output_bytes) return;
    output_->send(encode::notification(method, encode::one_line_object(params, "params")));
    output_->flush_soon();
  }

  void resource_updated(std::string_view uri) {
    dispatcher_.subscriptions().updated(uri, dispatcher_.initialized());
  }

  void log(LogLevel level, std::string_view logger, std::string_view text) {
    if (dispatcher_.initialized()) calls_->log(level, logger, text);
  }

 private:
  awaitable<SessionEnd> serve() {
    bool more = true;
    while (more) {
      const std::size_t bytes = co_await input_.read(framer_.space());
      more = bytes > 0;
      if (more) {
        framer_.received(bytes);
      } else {
        framer_.end();
      }
      while (!dispatch_lines()) co_await changed_->wait();
      output_->flush();
    }
    co_await finish();
    const SessionEnd end = output_->closed() ? SessionEnd::output_closed : SessionEnd::end_of_input;
    co_return end;
  }

  /// False if lines remain that must wait until the output drains or a call ends.
  bool dispatch_lines() {
    while (!output_->closed()) {
      const auto crowded = [this] {
        return output_->queued() > limits_.queued_output_bytes ||
               calls_->size() >= limits_.concurrent_calls;
      };
      if (crowded()) {
        output_->flush();
        if (crowded()) return output_->closed();
      }
      const std::optional<Line> line = framer_.next();
      if (!line) return true;
      dispatcher_.dispatch(*line);
    }
    return true;
  }

  /// Gives calls in flight a last chance to finish, then flushes the output.
  awaitable<void> finish() {
    const Clock::time_point deadline = clock_.now() + call_grace;
    output_->flush();
    while (calls_->size() > 0 && !output_->closed() && clock_.now() < deadline) {
      [[maybe_unused]] const bool notified = co_await changed_->wait_until(deadline);
    }
    dispatcher_.subscriptions().end_all();
    co_await output_->drain(deadline - clock_.now() + drain_timeout - call_grace);
  }

  Clock& clock_;
  Limits limits_;
  std::shared_ptr<Event> changed_;
  Input input_;
  std::shared_ptr<OutputQueue> output_;
  std::shared_ptr<const ServerInfo> server_;
  std::shared_ptr<Calls> calls_;
  Framer framer_;
  Dispatcher dispatcher_;
};

Session::Session(asio::any_io_executor executor, Clock& clock, ServerInfo server, int input,
                 int output, Limits limits)
    : impl_(std::make_unique<Impl>(*this, std::move(executor), clock, std::move(server), input,
                                   output, limits)) {}

Session::~Session() = default;

int Session::output_failure() const {
  return impl_->output_failure();
}

awaitable<SessionEnd> Session::run() {
  return impl_->run();
}

void Session::notify(std::string_view method, std::string_view params) {
  impl_->notify(method, params);
}

void Session::resource_updated(std::string_view uri) {
  impl_->resource_updated(uri);
}

void Session::log(LogLevel level, std::string_view logger, std::string_view text) {
  impl_->log(level, logger, text);
}

}  // namespace molecule::mcp
