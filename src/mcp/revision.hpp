#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mcp/message.hpp"

namespace molecule::mcp {

/// The revisions of the protocol that begin with `initialize`, oldest first.
enum class Revision { r2024_11_05, r2025_03_26, r2025_06_18, r2025_11_25 };

inline constexpr Revision newest_revision = Revision::r2025_11_25;
inline constexpr std::size_t revision_count = 4;

std::string_view name_of(Revision revision);
/// The names of all, as a JSON array.
std::string revision_names();

/// What is answered to a host that asks for `requested`: the same where it is known, else the
/// newest (mcp-protocol.md 1), never an error.
Revision negotiate(std::string_view requested);

// Which fields and forms a revision knows (mcp-protocol.md 1).
inline bool has_annotations(Revision revision) {
  return revision >= Revision::r2025_03_26;
}
inline bool has_progress_message(Revision revision) {
  return revision >= Revision::r2025_03_26;
}
inline bool has_batches(Revision revision) {
  return revision == Revision::r2025_03_26;
}
inline bool has_titles(Revision revision) {
  return revision >= Revision::r2025_06_18;
}
inline bool has_tool_meta(Revision revision) {
  return revision >= Revision::r2025_06_18;
}
inline bool has_structured_content(Revision revision) {
  return revision >= Revision::r2025_06_18;
}

/// The protocol's era is a property of each message (mcp-protocol.md 1): one conversation may mix
/// them. `stateless` requests name their version in `_meta`; none of those is served yet.
enum class Era { initialize, stateless };
Era era_of(const Message& message);
/// The version that a stateless request names.
std::string_view requested_version(const Message& message);

}  // namespace molecule::mcp
