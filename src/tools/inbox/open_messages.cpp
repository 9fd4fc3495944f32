#include "tools/inbox/open_messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/text/text.hpp"
#include "tools/results/others_text.hpp"

namespace molecule::tools {

namespace {

constexpr std::size_t max_listed = 20;
constexpr std::size_t max_line = 80;

std::string sender_of(const workspace::Message& message) {
  if (message.kind == "canvas_user") return "user";
  if (message.kind == "request_update" && message.peer_id.empty()) return "user";
  return message.peer_name.empty() ? message.peer_id : message.peer_name;
}

std::string line_of(const workspace::Message& message) {
  return std::string(text::prefix_characters(text::one_line(message.text), max_line));
}

}  // namespace

OpenMessages::OpenMessages(Services& services) : open_(services.workspaces.open(max_listed)) {}

bool OpenMessages::all_in(const std::vector<workspace::Workspaces::Arrival>& shown) const {
  const auto is_shown = [&shown](const workspace::Workspaces::Arrival& open) {
    return std::ranges::any_of(shown, [&open](const workspace::Workspaces::Arrival& one) {
      return one.message.activity_id == open.message.activity_id;
    });
  };
  return open_.more == 0 && std::ranges::all_of(open_.arrivals, is_shown);
}

void OpenMessages::write(json::Object& result, std::string_view except) const {
  const bool others = std::ranges::any_of(
      open_.arrivals, [except](const auto& one) { return one.message.activity_id != except; });
  if (others) {
    auto list = result.array("open");
    for (const auto& [workspace, message] : open_.arrivals) {
      if (message.activity_id == except) continue;
      auto item = list.object();
      item.field("activity_id", message.activity_id);
      item.field("kind", message.kind);
      item.field("from", sender_of(message));
      item.field("text", line_of(message));
    }
  }
  if (open_.more > 0) result.field("open_more", open_.more);
}

std::string OpenMessages::as_text() const {
  std::string text = "Given to you before and still open:";
  for (const auto& [workspace, message] : open_.arrivals) {
    text += fmt::format("\n{} ({}, from {}): {}", message.activity_id, message.kind,
                        quoted_name(sender_of(message)), line_of(message));
  }
  if (open_.more > 0) text += fmt::format("\n… and {} more", open_.more);
  return text;
}

std::string taken_over(Services& services) {
  if (!services.config.inbox) return {};
  std::string ids;
  for (const std::string& id : services.workspaces.lost()) {
    if (!ids.empty()) ids += ", ";
    ids += id;
  }
  if (ids.empty()) return {};
  return "Another session has it, or has answered it; leave it: " + ids;
}

}  // namespace molecule::tools
