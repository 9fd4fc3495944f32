#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/json/reader.hpp"
#include "mcp/revision.hpp"
#include "molecule/mcp/session.hpp"

// The lists of what a server offers, in pages.
namespace molecule::mcp::lists {

/// The entries [`from`, `from` + `size`) of a list.
struct Page {
  std::size_t from = 0;
  std::size_t size = 0;
};

/// Reads a cursor that one of the lists below gave out: it names the entry that comes next. Empty
/// for any other.
std::optional<Page> read_cursor(json::Value cursor, std::size_t page_size, std::size_t entries);

// Results without what is stamped on those of a stateless revision; `nextCursor` where more follow.
std::string tools(const ServerInfo& server, Page page, Revision revision);
std::string resources(const ServerInfo& server, Page page, Revision revision);
std::string resource_templates(const ServerInfo& server, Page page, Revision revision);
std::string prompts(const ServerInfo& server, Page page, Revision revision);

}  // namespace molecule::mcp::lists
