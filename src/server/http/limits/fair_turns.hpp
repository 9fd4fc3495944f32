#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/async/clock.hpp"

namespace molecule::server {

/// Runs what came in so that nobody waits for another one's crowd: the owner whose jobs have taken
/// the least time so far is next, and the loop does other work between two slices. An owner that
/// was idle gets no credit for it.
class FairTurns {
 public:
  using Job = std::function<void()>;

  FairTurns(asio::io_context& loop, Clock& clock) : loop_(loop), clock_(clock) {}
  FairTurns(const FairTurns&) = delete;
  FairTurns& operator=(const FairTurns&) = delete;

  /// Run from the loop, not from within this call. A job must not throw.
  void submit(std::string_view owner, Job job);
  bool empty() const { return waiting_.empty(); }

 private:
  struct Owner {
    std::deque<Job> jobs;
    /// The time that its jobs have taken, on a scale on which all owners run side by side.
    Clock::duration used{};
  };
  void run_slice();
  void run_next();
  void schedule();
  void forget_idle();

  asio::io_context& loop_;
  Clock& clock_;
  std::map<std::string, Owner, std::less<>> owners_;
  /// Those with jobs, by the time used.
  std::set<std::pair<Clock::duration, std::string>> waiting_;
  Clock::duration now_used_{};
  bool scheduled_ = false;
};

}  // namespace molecule::server
