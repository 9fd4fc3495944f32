#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "base/async/asio.hpp"
#include "server/store/postgres/connection/libpq_api.hpp"
#include "server/store/postgres/connection/store_url.hpp"
#include "server/store/signals.hpp"

namespace molecule::server::store::postgres {

/// One session with the server that is kept for NOTIFY, LISTEN and the leader's lock, none of which
/// outlives its session. Transactions of requests notify nobody: a NOTIFY would make the commits of
/// all processes wait for each other.
class Channel final : public Signals {
 public:
  explicit Channel(Parameters parameters) : parameters_(std::move(parameters)) {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  void send(std::string text) override;
  bool leads() const override { return leads_; }
  awaitable<void> run(Handlers handlers) override;

 private:
  struct Watch;

  awaitable<void> serve(Handlers& handlers);
  enum class Query { none, setup, texts, lock };
  void submit(Query query, const std::string& sql);
  /// Sends the next query if none is on its way.
  void ask();
  void ask_for_texts();
  /// Takes what has arrived.
  void take(Handlers& handlers);
  void take_result(const PGresult* result);
  void forget_session();

  Parameters parameters_;
  std::deque<std::string> waiting_;
  /// Of `waiting_`.
  std::size_t waiting_bytes_ = 0;
  /// Of these the answer is awaited.
  std::size_t sent_ = 0;
  std::shared_ptr<Watch> watch_;
  Query asked_ = Query::none;
  std::chrono::steady_clock::time_point asked_at_;
  std::chrono::steady_clock::time_point next_look_;
  bool leads_ = false;
};

}  // namespace molecule::server::store::postgres
