#include "workspace/sync/ownership.hpp"

#include <utility>

#include "base/log.hpp"

namespace molecule::workspace {

Ownership::Ownership(std::string workspace_id, Inbox& inbox, Clock& clock)
    : workspace_id_(std::move(workspace_id)),
      inbox_(inbox),
      status_(inbox.state_folder(), clock),
      owned_event_(clock) {}

bool Ownership::claim() {
  try {
    const bool owner = inbox_.claim();
    inbox_.sessions().end_own_without_inbox();
    return owner;
  } catch (const sqlite::Error&) {
    // The poller says what is wrong with the inbox; being online does not depend on it.
    return inbox_.sessions().own_without_inbox();
  }
}

bool Ownership::owns() {
  if (resigned_) return false;
  const unsigned claims = inbox_.claims();
  const bool before = std::exchange(owned_, claim()) && inbox_.claims() == claims;
  if (owned_ && !before) {
    ++term_;
    status_.begin(inbox_.sessions().self());
    log::info("this process keeps workspace {} online", workspace_id_);
    owned_event_.notify_all();
  } else if (before && !owned_) {
    status_.end();
    tell_of_the_other();
  }
  return owned_;
}

void Ownership::tell_of_the_other() const {
  if (inbox_.sessions().in_part()) {
    log::info("another process keeps workspace {} online now", workspace_id_);
    return;
  }
  log::warning(
      "another process keeps workspace {} online now, since this one stood still for a while",
      workspace_id_);
}

void Ownership::resign(std::string_view why) {
  // Noted first: whoever takes over begins a record of its own.
  if (owns()) status_.disable(why);
  resigned_ = true;
  owned_ = false;
  inbox_.sessions().end_own_without_inbox();
  try {
    inbox_.release_ownership();
  } catch (const sqlite::Error& error) {
    // It does not beat any more: another process takes over a little later.
    log::debug("inbox: {}", error.what());
  }
}

void Ownership::released() {
  // Their watch of the inbox wakes the others while the commit cannot be seen yet.
  if (std::exchange(owned_, false)) status_.wake_watchers();
}

StatusFile& Ownership::status() {
  owns();
  return status_;
}

awaitable<void> Ownership::own() {
  while (!owns()) co_await owned_event_.wait();
}

}  // namespace molecule::workspace
