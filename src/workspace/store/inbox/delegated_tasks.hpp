#pragma once

#include <cstddef>
#include <string_view>

#include "base/async/clock.hpp"
#include "workspace/store/database.hpp"

namespace molecule::workspace {

/// The tasks that peers have in their inboxes and will answer later: an answer's `Message::task` is
/// found here by its task id and its sender. Throws `StoreError`.
class DelegatedTasks {
 public:
  static constexpr std::size_t max_characters = 100;

  DelegatedTasks(Database& database, Clock& clock, const Timing& timing)
      : database_(database), clock_(clock), timing_(timing) {}

  /// Kept as long as removed ids; of the text only as much as a message shows.
  void remember(std::string_view task_id, std::string_view peer_id, std::string_view text);

 private:
  Database& database_;
  Clock& clock_;
  const Timing& timing_;
};

}  // namespace molecule::workspace
