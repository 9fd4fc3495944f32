#include "tools/peers/choose.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/text/text.hpp"
#include "workspace/workspaces.hpp"

namespace molecule::tools {

namespace {

constexpr std::size_t max_named = 20;

enum class Which { all, in_use };

std::string ids_of(workspace::Workspaces& workspaces, Which which) {
  std::string ids;
  std::size_t named = 0;
  for (const workspace::Workspace& workspace : workspaces) {
    if (which == Which::in_use && !workspace.in_use()) continue;
    if (++named > max_named) return ids + ", ...";
    if (!ids.empty()) ids += ", ";
    ids += workspace.id();
  }
  return ids;
}

/// The workspace that `argument` names; null if it names none, or none of ours.
workspace::Workspace* named_workspace(workspace::Workspaces& workspaces, mcp::Arguments& arguments,
                                      const char* argument) {
  const std::string given = arguments.string_or(argument, "");
  const std::string_view id = text::trim(given);
  if (id.empty()) return nullptr;
  workspace::Workspace* named = workspaces.find(id);
  if (named == nullptr) {
    arguments.reject(argument,
                     fmt::format("must be one of the workspaces that this server serves: {}",
                                 ids_of(workspaces, Which::all)));
  }
  return named;
}

}  // namespace

workspace::Workspace& choose_workspace(const Services& services, mcp::Arguments& arguments,
                                       const std::string& peer) {
  workspace::Workspaces& workspaces = services.workspaces;
  if (!workspaces.several()) return workspaces.first();
  workspace::Workspace* chosen = named_workspace(workspaces, arguments, source_argument);
  if (chosen == nullptr && !peer.empty()) chosen = workspaces.through_peer(peer);
  return chosen != nullptr ? *chosen : workspaces.default_workspace();
}

workspace::Workspace& workspace_for_user(const Services& services, mcp::Arguments& arguments) {
  workspace::Workspaces& workspaces = services.workspaces;
  if (!workspaces.several()) return workspaces.first();
  workspace::Workspace* named = named_workspace(workspaces, arguments, users_argument);
  return named != nullptr ? *named : workspaces.workspace_for_user();
}

mcp::ToolResult out_of_use(const workspace::Workspace& workspace) {
  return {.text = fmt::format("Workspace {} cannot be used: {}.", workspace.id(),
                              workspace.state().reason),
          .is_error = true};
}

std::optional<mcp::ToolResult> rejection(const Services& services, const mcp::Arguments& arguments,
                                         const workspace::Workspace& workspace,
                                         const char* argument) {
  if (auto wrong = arguments.rejection()) return wrong;
  if (workspace.in_use()) return std::nullopt;
  mcp::ToolResult result = out_of_use(workspace);
  const std::string others = ids_of(services.workspaces, Which::in_use);
  if (!others.empty()) {
    result.text +=
        fmt::format(" These of your workspaces can be used; pass one as {}: {}.", argument, others);
  }
  return result;
}

std::string with_choice(const Services& services, const char* argument, std::string schema) {
  if (!services.workspaces.several()) return schema;
  static constexpr std::string_view place = R"("properties":{)";
  const std::size_t at = schema.find(place) + place.size();
  const bool alone = schema[at] == '}';
  const bool for_user = std::string_view(argument) == users_argument;
  schema.insert(
      at, fmt::format(R"("{}":{{"type":"string","description":"Which of your own workspaces )"
                      R"(acts; default: the one {}, or the first."}}{})",
                      argument, for_user ? "whose user wrote to you last" : "that knows the peer",
                      alone ? "" : ","));
  return schema;
}

}  // namespace molecule::tools
