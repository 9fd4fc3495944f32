#include "workspace/store/inbox/agent_card_store.hpp"

#include "workspace/store/inbox/sql.hpp"

namespace molecule::workspace {

void AgentCardStore::keep(std::string_view card, std::string_view replaced) {
  database_.use([card, replaced](sqlite::Database& db) {
    sqlite::Transaction transaction(db);
    set_state(db, "card", card);
    set_state(db, "card_replaced", replaced);
    transaction.commit();
  });
}

std::optional<std::string> AgentCardStore::instead_of(std::string_view replaced) {
  return database_.use([replaced](sqlite::Database& db) -> std::optional<std::string> {
    if (state(db, "card_replaced") != replaced) return std::nullopt;
    return state(db, "card");
  });
}

}  // namespace molecule::workspace
