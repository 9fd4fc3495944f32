#include "mcp/calls/request_states.hpp"

#include <utility>

#include "base/random.hpp"

namespace molecule::mcp {

namespace {

constexpr std::size_t max_entries = 256;

}  // namespace

std::string RequestStates::keep(std::string purpose, std::string state) {
  if (entries_.size() >= max_entries) entries_.pop_front();
  entries_.push_back(
      {.token = random_token(), .purpose = std::move(purpose), .state = std::move(state)});
  return entries_.back().token;
}

std::optional<std::string_view> RequestStates::open(std::string_view purpose,
                                                    std::string_view token) const {
  for (const Entry& entry : entries_) {
    if (entry.token == token && entry.purpose == purpose) return entry.state;
  }
  return std::nullopt;
}

}  // namespace molecule::mcp
