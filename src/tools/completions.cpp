#include "tools/completions.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/text/text.hpp"
#include "tools/peers/ask_all.hpp"
#include "tools/retry_while_busy.hpp"
#include "tools/shared_calls.hpp"

namespace molecule::tools {

namespace {

bool begins(std::string_view text, const std::string& lower_typed) {
  return text::lower(text).starts_with(lower_typed);
}

awaitable<mcp::Completion> peers(Services& services, std::string typed) {
  const std::string wanted = text::lower(text::trim(typed));
  mcp::Completion completion;
  auto lists = co_await ask_all(services, "complete_peer", peers_of);
  for (const auto& known : lists) {
    if (!known || !*known) continue;
    for (const platform::Peer& peer : **known) {
      const bool listed = std::ranges::find(completion.values, peer.id) != completion.values.end();
      if (!listed && (begins(peer.id, wanted) || begins(peer.name, wanted))) {
        completion.values.push_back(peer.id);
      }
    }
  }
  co_return completion;
}

awaitable<mcp::Completion> scopes(std::string typed) {
  constexpr std::array<const char*, 3> all{"LOCAL", "TEAM", "GLOBAL"};
  const std::string wanted = text::lower(text::trim(typed));
  mcp::Completion completion;
  for (const char* scope : all) {
    if (begins(scope, wanted)) completion.values.emplace_back(scope);
  }
  co_return completion;
}

awaitable<mcp::Completion> activities(Services& services, std::string typed) {
  const std::string wanted = text::lower(text::trim(typed));
  mcp::Completion completion;
  const auto look = [&services] {
    return services.workspaces.peek(workspace::MessageStore::max_waiting);
  };
  try {
    auto waiting = co_await retry_while_busy(services, look);
    for (const auto& arrival : waiting) {
      const std::string& id = arrival.message.activity_id;
      if (begins(id, wanted)) completion.values.push_back(id);
    }
  } catch (const workspace::StoreError&) {
    completion.values.clear();  // reading the inbox says why
  }
  co_return completion;
}

}  // namespace

mcp::Completer complete_peer(Services& services) {
  return [&services](mcp::Call&, std::string typed) { return peers(services, std::move(typed)); };
}

mcp::Completer complete_scope() {
  return [](mcp::Call&, std::string typed) { return scopes(std::move(typed)); };
}

mcp::Completer complete_activity(Services& services) {
  return
      [&services](mcp::Call&, std::string typed) { return activities(services, std::move(typed)); };
}

}  // namespace molecule::tools
