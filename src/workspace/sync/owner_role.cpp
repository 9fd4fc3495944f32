#include "workspace/sync/owner_role.hpp"

#include <utility>

#include "base/log.hpp"

namespace molecule::workspace {

OwnerRole::OwnerRole(std::string workspace_id, Inbox& inbox,
                     const std::filesystem::path& state_folder, Clock& clock,
                     Clock::duration record_refresh)
    : workspace_id_(std::move(workspace_id)),
      inbox_(inbox),
      status_(state_folder, clock, record_refresh),
      owned_event_(clock) {}

bool OwnerRole::claim() {
  try {
    const bool owner = inbox_.ownership.claim();
    inbox_.sessions.end_own_without_inbox();
    return owner;
  } catch (const StoreError&) {
    // The poller reports what is wrong with the inbox; being online does not depend on it.
    return inbox_.sessions.own_without_inbox();
  }
}

bool OwnerRole::owns() {
  if (resigned_) return false;
  const unsigned claims = inbox_.ownership.claims();
  const bool before = std::exchange(owned_, claim()) && inbox_.ownership.claims() == claims;
  if (owned_ && !before) {
    ++term_;
    status_.begin(inbox_.sessions.self());
    log::info("this process keeps workspace {} online", workspace_id_);
    owned_event_.notify_all();
  } else if (before && !owned_) {
    status_.end();
    log_other_owner();
  }
  return owned_;
}

void OwnerRole::log_other_owner() const {
  if (inbox_.sessions.in_part()) {
    log::info("another process keeps workspace {} online now", workspace_id_);
    return;
  }
  log::warning(
      "another process keeps workspace {} online now, because this one was stopped for a while",
      workspace_id_);
}

void OwnerRole::resign(std::string_view why) {
  // Written first: the next owner begins a record of its own.
  if (owns()) status_.disable(why);
  resigned_ = true;
  owned_ = false;
  inbox_.sessions.end_own_without_inbox();
  try {
    inbox_.ownership.release();
  } catch (const StoreError& error) {
    // Without fresh liveness from this one, another process takes over a little later.
    log::debug("inbox: {}", error.what());
  }
}

void OwnerRole::released() {
  // The others watch the inbox too, but are woken by it before they can see the commit.
  if (std::exchange(owned_, false)) status_.wake_watchers();
}

StatusFile& OwnerRole::status() {
  owns();
  return status_;
}

awaitable<void> OwnerRole::own() {
  while (!owns()) co_await owned_event_.wait();
}

}  // namespace molecule::workspace
