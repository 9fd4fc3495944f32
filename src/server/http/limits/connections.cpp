#include "server/http/limits/connections.hpp"

#include <iterator>
#include <utility>
#include <vector>

namespace molecule::server {

namespace {

/// A client that took nothing for so long may be dropped for another one's sake.
constexpr std::chrono::seconds stalled(3);

}  // namespace

Connections::Entry::Entry(std::shared_ptr<Connections> all)
    : all_(std::move(all)),
      list_(&all_->strangers_),
      place_(list_->insert(list_->end(), this)),
      since_(all_->clock_.now()) {}

Connections::Entry::~Entry() {
  if (dropped_) --all_->dropped_;
  list_->erase(place_);
}

void Connections::Entry::move_to(List& list) {
  list.splice(list.end(), *list_, place_);
  list_ = &list;
}

void Connections::Entry::enter(Phase phase) {
  const bool same = phase == phase_;
  phase_ = phase;
  if (!same) rests_ = false;
  // A head's limit runs from its first byte on; a stranger's from the connection's start.
  const bool stranger = !served_ && (phase == Phase::idle || phase == Phase::head);
  if (!stranger && (!same || phase == Phase::body)) since_ = all_->clock_.now();
  if (dropped_ || same) return;
  if (phase == Phase::answer || phase == Phase::stream) served_ = true;
  if (stranger) return;
  move_to(phase == Phase::idle ? all_->resting_ : all_->active_);
}

void Connections::Entry::write_began() {
  writing_ = true;
  asked_ = all_->clock_.now();
}

bool Connections::Entry::is_late(Clock::time_point now) const {
  if (dropped_) return false;
  const Limits& limits = all_->limits_;
  if (writing_) return now - asked_ > limits.answer;
  if (phase_ == Phase::head) return now - since_ > limits.head;
  if (phase_ == Phase::body) return now - since_ > limits.body;
  if (phase_ == Phase::idle) return now - since_ > (served_ ? limits.idle : limits.head);
  return false;
}

void Connections::Entry::drop() {
  if (std::exchange(dropped_, true)) return;
  ++all_->dropped_;
  move_to(all_->active_);
  if (owner_.drop) owner_.drop();
}

void Connections::drop_silent(std::size_t count) {
  for (Entry::List* list : {&strangers_, &resting_}) {
    while (dropped_ < count && !list->empty()) list->front()->drop();
  }
  if (dropped_ > 0) return;
  Entry* slowest = nullptr;
  const Clock::time_point now = clock_.now();
  for (Entry* entry : active_) {
    if (entry->dropped_ || !entry->writing_ || now - entry->asked_ < stalled) continue;
    if (slowest == nullptr || entry->asked_ < slowest->asked_) slowest = entry;
  }
  if (slowest != nullptr) slowest->drop();
}

void Connections::drop_late() {
  const Clock::time_point now = clock_.now();
  std::vector<Entry*> late;
  for (const Entry::List* list : {&strangers_, &resting_, &active_}) {
    for (Entry* entry : *list) {
      if (entry->is_late(now)) late.push_back(entry);
    }
  }
  // Dropping ends none of them at once: their sockets' owner hears of it from the loop.
  for (Entry* entry : late) entry->drop();
}

bool Connections::rest_idle(std::size_t most) {
  const Clock::time_point now = clock_.now();
  // In the order in which they fell silent: first those that rest.
  auto first = resting_.end();
  while (first != resting_.begin() && !(*std::prev(first))->rests_) --first;
  while (first != resting_.end() && most > 0 && now - (*first)->since_ >= limits_.rest) {
    Entry& entry = **first++;
    --most;
    entry.rests_ = true;
    if (entry.owner_.rest && !entry.writing_) entry.owner_.rest();
  }
  return first != resting_.end();
}

}  // namespace molecule::server
