#include "choose.hpp"

#include <fmt/format.h>

#include <utility>

#include "molecule/base/text.hpp"
#include "molecule/workspace/seats.hpp"

namespace molecule::tools {

namespace {

constexpr std::size_t most_named = 20;

std::string known_ids(workspace::Seats& seats) {
  std::string ids;
  std::size_t named = 0;
  for (const workspace::Seat& seat : seats) {
    if (++named > most_named) return ids + ", ...";
    if (!ids.empty()) ids += ", ";
    ids += seat.id();
  }
  return ids;
}

}  // namespace

workspace::Seat& choose_seat(const Services& services, mcp::Arguments& arguments,
                             const char* argument, const std::string& peer) {
  workspace::Seats& seats = services.seats;
  if (!seats.several()) return seats.first();
  const std::string given = arguments.string_or(argument, "");
  const std::string_view id = text::trim(given);
  if (!id.empty()) {
    workspace::Seat* named = seats.find(id);
    if (named != nullptr) return *named;
    arguments.reject(argument, fmt::format("is none of the workspaces that this server serves: {}",
                                           known_ids(seats)));
    return seats.first();
  }
  workspace::Seat* known = peer.empty() ? nullptr : seats.through_peer(peer);
  return known != nullptr ? *known : seats.first();
}

std::optional<mcp::ToolResult> rejection(const mcp::Arguments& arguments,
                                         const workspace::Seat& seat) {
  if (auto wrong = arguments.rejection()) return wrong;
  if (seat.disabled().empty()) return std::nullopt;
  return mcp::ToolResult{
      .text = fmt::format("Workspace {} cannot be used: {}.", seat.id(), seat.disabled()),
      .is_error = true};
}

std::string with_choice(const Services& services, const char* argument, std::string schema) {
  if (!services.seats.several()) return schema;
  static constexpr std::string_view place = R"("properties":{)";
  const std::size_t at = schema.find(place) + place.size();
  const bool alone = schema[at] == '}';
  schema.insert(at,
                fmt::format(R"("{}":{{"type":"string","description":"Which of your own workspaces )"
                            R"(speaks; left out: the one that knows the peer, or the first."}}{})",
                            argument, alone ? "" : ","));
  return schema;
}

}  // namespace molecule::tools
