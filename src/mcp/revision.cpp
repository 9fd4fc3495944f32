#include "mcp/revision.hpp"

#include <array>

namespace molecule::mcp {

namespace {

constexpr std::array<std::string_view, revision_count> names{
    "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", stateless_version};

}  // namespace

std::string_view name_of(Revision revision) {
  return names.at(static_cast<std::size_t>(revision));
}

Revision negotiate(std::string_view requested) {
  for (std::size_t i = 0; i <= static_cast<std::size_t>(newest_negotiated); ++i) {
    if (names.at(i) == requested) return static_cast<Revision>(i);
  }
  return newest_negotiated;
}

}  // namespace molecule::mcp
