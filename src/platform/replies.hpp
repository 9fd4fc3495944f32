#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json/reader.hpp"
#include "platform/client.hpp"

namespace molecule::platform {

// Parse the body of a 2xx; nothing if it does not match platform-api.md. Text from others is
// sanitised here; unknown keys are ignored.

std::optional<Registration> read_registration(json::Document& body);   // platform-api.md 1.1
std::optional<HeartbeatReply> read_heartbeat(json::Document& body);    // platform-api.md 1.2
std::optional<std::vector<Peer>> read_peers(json::Document& body);     // platform-api.md 1.5
std::optional<std::string> read_workspace(json::Document& body);       // platform-api.md 2.3
std::optional<NewWorkspace> read_new_workspace(json::Document& body);  // platform-api.md 2.1
std::optional<A2aReply> read_a2a(json::Document& body);                // platform-api.md 3, 10
/// Moves the document into the page.
std::optional<ActivityPage> read_rows(json::Document& body);  // platform-api.md 4.1, 5.2
std::optional<std::vector<UploadedFile>> read_uploads(json::Document& body);  // platform-api.md 4.5
/// A missing limit keeps its default; an invalid one makes the whole reply invalid.
std::optional<UploadLimits> read_upload_limits(json::Document& body);    // platform-api.md 10
std::optional<Delegation> read_delegation(json::Document& body);         // platform-api.md 5.1
std::optional<Memory> read_memory(json::Document& body);                 // platform-api.md 6.1
std::optional<std::vector<Memory>> read_memories(json::Document& body);  // platform-api.md 6.2
std::optional<std::string> read_history(json::Document& body);           // platform-api.md 10
std::optional<RequestCreated> read_created(json::Document& body);        // page.md 3.2
std::optional<std::string> read_thread(json::Document& body);            // page.md 3.2
std::optional<Broadcast> read_broadcast(json::Document& body);           // platform-api.md 10
/// Accepts any body: the status says everything.
std::optional<bool> read_nothing(json::Document& body);
/// `status` of a reply that holds nothing else (platform-api.md 4.2, 4.3); empty for a 204.
std::optional<std::string> read_status(json::Document& body);

}  // namespace molecule::platform
