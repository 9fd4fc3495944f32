#pragma once

#include <cstddef>
#include <string_view>

namespace molecule::mcp {

/// The protocol revisions, oldest first. The last one is stateless: every request names it. The
/// others are negotiated by `initialize`.
enum class Revision { r2024_11_05, r2025_03_26, r2025_06_18, r2025_11_25, r2026_07_28 };

inline constexpr std::size_t revision_count = 5;
inline constexpr Revision newest_negotiated = Revision::r2025_11_25;
inline constexpr std::string_view stateless_version = "2026-07-28";

std::string_view name_of(Revision revision);

/// The revision to answer an `initialize` with: `requested` if it is supported, else the newest
/// negotiated one (mcp-protocol.md 1). An unknown revision is never an error.
Revision negotiate(std::string_view requested);

inline bool is_stateless(Revision revision) {
  return revision == Revision::r2026_07_28;
}

// Which fields and content types a revision defines (mcp-protocol.md 1).
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
inline bool has_resource_links(Revision revision) {
  return revision >= Revision::r2025_06_18;
}
inline bool has_audio(Revision revision) {
  return revision >= Revision::r2025_03_26;
}
inline bool has_completions_capability(Revision revision) {
  return revision >= Revision::r2025_03_26;
}

}  // namespace molecule::mcp
