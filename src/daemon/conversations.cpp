#include "daemon/conversations.hpp"

namespace molecule::daemon {

std::string conversation_of(const workspace::HandlerTurns::Candidate& candidate,
                            const HandlerSettings& settings) {
  if (candidate.kind == "delegation_result") {
    return candidate.conversation.empty() ? std::string(the_person) : candidate.conversation;
  }
  std::string partner = candidate.peer_id.empty() ? std::string(the_person) : candidate.peer_id;
  return settings.per_message ? partner + ':' + candidate.activity_id : partner;
}

std::string partner_of(std::string_view conversation) {
  const std::string_view partner = conversation.substr(0, conversation.find(':'));
  return partner == the_person ? std::string() : std::string(partner);
}

}  // namespace molecule::daemon
