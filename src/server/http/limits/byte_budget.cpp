#include "server/http/limits/byte_budget.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

namespace molecule::server {

struct ByteBudget::Share::State {
  Limits limits;
  std::uint64_t held = 0;
  std::map<std::string, std::uint64_t, std::less<>> owners;
};

ByteBudget::ByteBudget(Limits limits) : state_(std::make_shared<Share::State>()) {
  state_->limits = limits;
}

std::shared_ptr<ByteBudget::Share> ByteBudget::share(std::string_view owner) const {
  return std::shared_ptr<Share>(new Share(state_, owner));
}

std::uint64_t ByteBudget::held_by(std::string_view owner) const {
  const auto found = state_->owners.find(owner);
  return found == state_->owners.end() ? 0 : found->second;
}

std::uint64_t ByteBudget::held() const {
  return state_->held;
}

ByteBudget::Share::Share(std::shared_ptr<State> state, std::string_view owner)
    : state_(std::move(state)), owner_(owner) {}

ByteBudget::Share::~Share() {
  shrink(bytes_);
}

bool ByteBudget::Share::grow(std::uint64_t bytes) {
  const auto found = state_->owners.find(owner_);
  const std::uint64_t own = found == state_->owners.end() ? 0 : found->second;
  if (own + bytes > state_->limits.one || state_->held + bytes > state_->limits.all) return false;
  force(bytes);
  return true;
}

void ByteBudget::Share::force(std::uint64_t bytes) {
  if (bytes == 0) return;
  state_->owners[owner_] += bytes;
  state_->held += bytes;
  bytes_ += bytes;
}

void ByteBudget::Share::shrink(std::uint64_t bytes) {
  bytes = std::min(bytes, bytes_);
  if (bytes == 0) return;
  const auto found = state_->owners.find(owner_);
  found->second -= bytes;
  if (found->second == 0) state_->owners.erase(found);
  state_->held -= bytes;
  bytes_ -= bytes;
}

}  // namespace molecule::server
