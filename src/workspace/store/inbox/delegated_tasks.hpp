#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/async/clock.hpp"
#include "workspace/store/database.hpp"
#include "workspace/store/inbox/message.hpp"
#include "workspace/store/sessions.hpp"

namespace molecule::workspace {

/// The tasks that peers will answer later: a message from such a peer that names the task's id is
/// its answer (`delegation_result`), for the session that delegated it as long as that one runs.
/// Throws `StoreError`.
class DelegatedTasks {
 public:
  static constexpr std::size_t max_characters = 100;

  DelegatedTasks(Database& database, Sessions& sessions, Clock& clock, const Timing& timing)
      : database_(database), sessions_(sessions), clock_(clock), timing_(timing) {}

  /// Of a handler: the conversation in which it delegates, so that the answer comes to it.
  void set_conversation(std::string conversation) { conversation_ = std::move(conversation); }

  /// Kept as long as removed ids; of the text only as much as a message shows.
  void remember(std::string_view task_id, std::string_view peer_id, std::string_view text);

  /// The answer has been given: none will come.
  void forget(std::string_view task_id);

  struct Task {
    std::string task_id;
    std::string peer_id;
    /// An answer came and was removed from the inbox.
    bool answered = false;
    /// The answer that waits in the inbox.
    std::optional<Message> answer = std::nullopt;
  };
  std::optional<Task> find(std::string_view task_id);

 private:
  Database& database_;
  Sessions& sessions_;
  Clock& clock_;
  const Timing& timing_;
  std::string conversation_;
};

}  // namespace molecule::workspace
