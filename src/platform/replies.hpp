#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json/reader.hpp"
#include "platform/client.hpp"

namespace molecule::platform {

// From the body of a 2xx to what the caller asked for; nothing where it has another shape than
// platform-api.md's. Texts of others are sanitised here; keys that are not known are ignored.

std::optional<Registration> read_registration(json::Document& body);  // 1.1
std::optional<BeatReply> read_beat(json::Document& body);             // 1.2
std::optional<std::vector<Peer>> read_peers(json::Document& body);    // 1.5
std::optional<std::string> read_workspace(json::Document& body);      // 2.3
std::optional<A2aReply> read_a2a(json::Document& body);               // 3, 10
/// Takes the document over.
std::optional<ActivityPage> read_rows(json::Document& body);                  // 4.1, 5.2
std::optional<std::vector<UploadedFile>> read_uploads(json::Document& body);  // 4.5
/// A limit that is not there keeps its default; one that is no sensible number spoils them all.
std::optional<UploadLimits> read_upload_limits(json::Document& body);    // 10
std::optional<Delegation> read_delegation(json::Document& body);         // 5.1
std::optional<Memory> read_memory(json::Document& body);                 // 6.1
std::optional<std::vector<Memory>> read_memories(json::Document& body);  // 6.2
std::optional<std::string> read_history(json::Document& body);           // 10
std::optional<Broadcast> read_broadcast(json::Document& body);           // 10
/// Any answer, as its status has said all.
std::optional<bool> read_nothing(json::Document& body);
/// `status` of an answer that says nothing else (4.2, 4.3); "" for a 204.
std::optional<std::string> read_status(json::Document& body);

}  // namespace molecule::platform
