#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/json/reader.hpp"
#include "mcp/revision.hpp"
#include "molecule/mcp/session.hpp"

// The lists of what a server offers, one page at a time.
namespace molecule::mcp::lists {

/// The entries [`from`, `from` + `size`) of a list.
struct Page {
  std::size_t from = 0;
  std::size_t size = 0;
};

/// Parses a cursor produced by one of the functions below: the index of the page's first entry.
/// Absent or null gives the first page; any other value gives nothing.
std::optional<Page> read_cursor(json::Value cursor, std::size_t page_size, std::size_t entries);

// Each returns a result without the members common to stateless results, with `nextCursor` if more
// entries follow.
std::string tools(const ServerInfo& server, Page page, Revision revision);
std::string resources(const ServerInfo& server, Page page, Revision revision);
std::string resource_templates(const ServerInfo& server, Page page, Revision revision);
std::string prompts(const ServerInfo& server, Page page, Revision revision);

}  // namespace molecule::mcp::lists
