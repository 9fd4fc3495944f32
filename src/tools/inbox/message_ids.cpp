#include "tools/inbox/message_ids.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/uuid.hpp"

namespace molecule::tools {

MessageIds::Attempt::Attempt(MessageIds& ids, std::string receiver, std::string content,
                             std::string_view tool_use_id)
    : ids_(ids) {
  const Clock::time_point now = ids.clock_.now();
  ids.lost_.remove_if(
      [now, window = ids.repeat_window_](const Sent& lost) { return now - lost.since >= window; });
  const auto lost = std::ranges::find_if(ids.lost_, [&receiver, &content](const Sent& one) {
    return one.receiver == receiver && one.content == content;
  });
  if (lost != ids.lost_.end()) {
    sent_.splice(sent_.end(), ids.lost_, lost);
    return;
  }
  std::string id =
      tool_use_id.empty() ? random_uuid() : derived_uuid(tool_use_id, receiver + ' ' + content);
  sent_.push_back({std::move(receiver), std::move(content), std::move(id), now});
}

MessageIds::Attempt::~Attempt() {
  if (taken_) return;
  sent_.front().since = ids_.clock_.now();
  ids_.lost_.splice(ids_.lost_.end(), sent_);
}

}  // namespace molecule::tools
