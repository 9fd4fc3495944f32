#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "workspace/store/database.hpp"

namespace molecule::workspace {

/// The agent card that the agent has set in place of the configured one. Cards are JSON objects'
/// texts. Throws `StoreError`.
class AgentCardStore {
 public:
  explicit AgentCardStore(Database& database) : database_(database) {}

  void keep(std::string_view card, std::string_view replaced);
  /// The card that was set last, if it replaced this one.
  std::optional<std::string> instead_of(std::string_view replaced);

 private:
  Database& database_;
};

}  // namespace molecule::workspace
