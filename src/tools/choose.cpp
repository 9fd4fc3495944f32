#include "choose.hpp"

#include <fmt/format.h>

#include <utility>

#include "molecule/base/text.hpp"
#include "molecule/workspace/seats.hpp"

namespace molecule::tools {

namespace {

constexpr std::size_t most_named = 20;

enum class Which { all, in_use };

std::string ids_of(workspace::Seats& seats, Which which) {
  std::string ids;
  std::size_t named = 0;
  for (const workspace::Seat& seat : seats) {
    if (which == Which::in_use && !seat.disabled().empty()) continue;
    if (++named > most_named) return ids + ", ...";
    if (!ids.empty()) ids += ", ";
    ids += seat.id();
  }
  return ids;
}

/// The workspace that `argument` names; null where it names none, or none of ours.
workspace::Seat* named_seat(workspace::Seats& seats, mcp::Arguments& arguments,
                            const char* argument) {
  const std::string given = arguments.string_or(argument, "");
  const std::string_view id = text::trim(given);
  if (id.empty()) return nullptr;
  workspace::Seat* named = seats.find(id);
  if (named == nullptr) {
    arguments.reject(argument, fmt::format("is none of the workspaces that this server serves: {}",
                                           ids_of(seats, Which::all)));
  }
  return named;
}

}  // namespace

workspace::Seat& choose_seat(const Services& services, mcp::Arguments& arguments,
                             const std::string& peer) {
  workspace::Seats& seats = services.seats;
  if (!seats.several()) return seats.first();
  workspace::Seat* chosen = named_seat(seats, arguments, source_argument);
  if (chosen == nullptr && !peer.empty()) chosen = seats.through_peer(peer);
  return chosen != nullptr ? *chosen : seats.usual();
}

workspace::Seat& choose_users_seat(const Services& services, mcp::Arguments& arguments) {
  workspace::Seats& seats = services.seats;
  if (!seats.several()) return seats.first();
  workspace::Seat* named = named_seat(seats, arguments, users_argument);
  return named != nullptr ? *named : seats.of_last_user();
}

mcp::ToolResult out_of_use(const workspace::Seat& seat) {
  return {.text = fmt::format("Workspace {} cannot be used: {}.", seat.id(), seat.disabled()),
          .is_error = true};
}

std::optional<mcp::ToolResult> rejection(const Services& services, const mcp::Arguments& arguments,
                                         const workspace::Seat& seat, const char* argument) {
  if (auto wrong = arguments.rejection()) return wrong;
  if (seat.disabled().empty()) return std::nullopt;
  mcp::ToolResult result = out_of_use(seat);
  const std::string others = ids_of(services.seats, Which::in_use);
  if (!others.empty()) {
    result.text +=
        fmt::format(" Of your workspaces these can be used; give one as {}: {}.", argument, others);
  }
  return result;
}

std::string with_choice(const Services& services, const char* argument, std::string schema) {
  if (!services.seats.several()) return schema;
  static constexpr std::string_view place = R"("properties":{)";
  const std::size_t at = schema.find(place) + place.size();
  const bool alone = schema[at] == '}';
  const bool for_user = std::string_view(argument) == users_argument;
  schema.insert(
      at, fmt::format(R"("{}":{{"type":"string","description":"Which of your own workspaces )"
                      R"(speaks; left out: the one {}, or the first."}}{})",
                      argument, for_user ? "whose user you heard last" : "that knows the peer",
                      alone ? "" : ","));
  return schema;
}

}  // namespace molecule::tools
