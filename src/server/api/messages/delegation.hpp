#pragma once

#include <string>

#include "base/async/asio.hpp"
#include "server/api/context.hpp"

namespace molecule::server {

/// An answer of `peer_id` to `workspace_id`, which names the task that it answers.
struct DelegationAnswer {
  std::string workspace_id;
  std::string peer_id;
  std::string in_reply_to;
  std::string text;
};

/// Completes the delegation that it answers (page.md 2.6). Does nothing if there is none.
awaitable<void> complete_by_answer(Context& context, DelegationAnswer answer);

}  // namespace molecule::server
