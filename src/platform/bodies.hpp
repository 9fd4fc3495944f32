#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/client.hpp"

namespace molecule::platform {

// The bodies and the query of the requests that `Client` makes.

std::string register_body(std::string_view id, std::string_view agent_card);
std::string heartbeat_body(std::string_view id, const HeartbeatRequest& heartbeat);
std::string card_body(std::string_view id, std::string_view agent_card);
std::string notify_body(std::string_view message, const std::vector<UploadedFile>& attachments,
                        std::string_view message_id, std::string_view in_reply_to);
/// Cuts the texts to the limits of molecule-mcp.md 6.
std::string report_body(const ActivityReport& report);
std::string ack_body(std::int64_t seq);

using Pairs = std::initializer_list<std::pair<std::string_view, std::string_view>>;
/// The text of a JSON object that has only string members.
std::string text_fields(Pairs fields);
/// `?a=b&c=d`, without the parameters that are empty.
std::string query_string(Pairs parameters);

}  // namespace molecule::platform
