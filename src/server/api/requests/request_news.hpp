#pragma once

#include <string>
#include <string_view>

#include "base/async/asio.hpp"
#include "server/api/context.hpp"
#include "server/api/requests/request_rows.hpp"

namespace molecule::server {

/// What happened to a request.
struct RequestNews {
  enum class Event { created, responded, message, cancelled, reminder };

  Event event = Event::created;
  /// Who did it; for a reminder the requester.
  Party author;
  /// The thread's message.
  std::string message_id = {};
  std::string body = {};
};

/// Writes it into the inboxes of the agents concerned, other than the author (page.md 3.5).
awaitable<void> tell_agents(Context& context, RequestRow row, RequestNews news);

/// Records the events of page.md 3.4, and those of the older spellings (3.7).
void record_request_events(Context& context, const RequestRow& row, const RequestNews& news);

}  // namespace molecule::server
