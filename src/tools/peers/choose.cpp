#include "tools/peers/choose.hpp"

#include <fmt/format.h>

#include <initializer_list>
#include <utility>

#include "base/text/text.hpp"
#include "base/uuid.hpp"
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

/// The workspace that one of the arguments names; null if none does, or not one of ours.
workspace::Workspace* named_workspace(workspace::Workspaces& workspaces, mcp::Arguments& arguments,
                                      std::initializer_list<const char*> names) {
  workspace::Workspace* named = nullptr;
  for (const char* argument : names) {
    const std::string given = arguments.string_or(argument, "");
    if (text::trim(given).empty()) continue;
    workspace::Workspace* one = workspaces.find(read_uuid(given).value_or(given));
    if (one == nullptr) {
      arguments.reject(argument,
                       fmt::format("must be one of the workspaces that this server serves: {}",
                                   ids_of(workspaces, Which::all)));
    } else if (named != nullptr && named != one) {
      arguments.reject(argument, "names another workspace than source_workspace_id");
    }
    named = one;
  }
  return named;
}

}  // namespace

workspace::Workspace* source_workspace(const Services& services, mcp::Arguments& arguments) {
  return named_workspace(services.workspaces, arguments, {source_argument});
}

workspace::Workspace& choose_workspace(const Services& services, mcp::Arguments& arguments,
                                       const std::string& peer) {
  workspace::Workspaces& workspaces = services.workspaces;
  workspace::Workspace* chosen = source_workspace(services, arguments);
  if (!workspaces.several()) return workspaces.first();
  if (chosen == nullptr && !peer.empty()) chosen = workspaces.through_peer(peer);
  return chosen != nullptr ? *chosen : workspaces.default_workspace();
}

workspace::Workspace& workspace_for_user(const Services& services, mcp::Arguments& arguments) {
  workspace::Workspaces& workspaces = services.workspaces;
  workspace::Workspace* named =
      named_workspace(workspaces, arguments, {source_argument, users_argument});
  if (!workspaces.several()) return workspaces.first();
  return named != nullptr ? *named : workspaces.workspace_for_user();
}

mcp::ToolResult out_of_use(const workspace::Workspace& workspace) {
  return {.text = fmt::format("Workspace {} cannot be used: {}.", workspace.id(),
                              workspace.state().reason),
          .is_error = true};
}

std::optional<mcp::ToolResult> rejection(const Services& services, const mcp::Arguments& arguments,
                                         const workspace::Workspace& workspace) {
  if (auto wrong = arguments.rejection()) return wrong;
  if (workspace.in_use()) return std::nullopt;
  mcp::ToolResult result = out_of_use(workspace);
  const std::string others = ids_of(services.workspaces, Which::in_use);
  if (!others.empty()) {
    result.text += fmt::format(" These of your workspaces can be used; pass one as {}: {}.",
                               source_argument, others);
  }
  return result;
}

std::string with_choice(const Services& services, std::string schema) {
  if (!services.workspaces.several()) return schema;
  static constexpr std::string_view place = R"("properties":{)";
  const std::size_t at = schema.find(place) + place.size();
  const bool alone = schema[at] == '}';
  schema.insert(at, fmt::format(R"("{}":{{"type":"string","description":"One of your own )"
                                R"(workspaces."}}{})",
                                source_argument, alone ? "" : ","));
  return schema;
}

}  // namespace molecule::tools
