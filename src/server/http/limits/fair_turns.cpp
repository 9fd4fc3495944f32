#include "server/http/limits/fair_turns.hpp"

#include <algorithm>

namespace molecule::server {

namespace {

constexpr std::chrono::milliseconds slice(2);
constexpr std::size_t max_remembered = 1024;

}  // namespace

void FairTurns::submit(std::string_view owner, Job job) {
  auto found = owners_.find(owner);
  if (found == owners_.end()) found = owners_.emplace(std::string(owner), Owner()).first;
  if (found->second.jobs.empty()) {
    found->second.used = std::max(found->second.used, now_used_);
    waiting_.emplace(found->second.used, found->first);
  }
  found->second.jobs.push_back(std::move(job));
  schedule();
}

void FairTurns::schedule() {
  if (std::exchange(scheduled_, true)) return;
  asio::post(loop_, [this] { run_slice(); });
}

void FairTurns::run_slice() {
  scheduled_ = false;
  const Clock::time_point end = clock_.now() + slice;
  while (!waiting_.empty()) {
    run_next();
    if (clock_.now() >= end) break;
  }
  if (!waiting_.empty()) schedule();
  if (owners_.size() > max_remembered) forget_idle();
}

void FairTurns::run_next() {
  const std::string name = waiting_.begin()->second;
  now_used_ = waiting_.begin()->first;
  waiting_.erase(waiting_.begin());
  const Job job = std::move(owners_.at(name).jobs.front());
  owners_.at(name).jobs.pop_front();
  const Clock::time_point start = clock_.now();
  job();
  Owner& owner = owners_.at(name);
  // A job may have been submitted meanwhile, at the time used before.
  waiting_.erase({owner.used, name});
  owner.used = now_used_ + (clock_.now() - start);
  if (!owner.jobs.empty()) waiting_.emplace(owner.used, name);
}

void FairTurns::forget_idle() {
  std::erase_if(owners_, [this](const auto& owner) {
    return owner.second.jobs.empty() && owner.second.used <= now_used_;
  });
}

}  // namespace molecule::server
