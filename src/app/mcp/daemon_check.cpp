#include "app/mcp/daemon_check.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/json/writer.hpp"
#include "base/toml.hpp"
#include "workspace/config/credentials.hpp"

namespace molecule::app {

namespace {

std::string token_place(const workspace::WorkspaceConfig& workspace) {
  workspace::Credentials credentials(workspace.token, workspace.state_folder);
  return credentials.reload().ok() ? credentials.token_source() : "nowhere";
}

}  // namespace

std::string configuration_text(const workspace::Config& config, const daemon::Settings& settings) {
  std::string text;
  for (const workspace::WorkspaceConfig& one : config.workspaces) {
    text += fmt::format("# workspace {}\n#   platform {}\n#   state {}\n#   token from {}\n",
                        one.id, one.platform_url, one.state_folder.string(), token_place(one));
  }
  return text + settings.describe();
}

std::string configuration_json(const workspace::Config& config, const daemon::Settings& settings) {
  json::Writer writer;
  {
    auto out = writer.object();
    {
      auto list = out.array("workspaces");
      for (const workspace::WorkspaceConfig& one : config.workspaces) {
        auto item = list.object();
        item.field("id", one.id);
        item.field("platform_url", one.platform_url);
        item.field("state_folder", one.state_folder.string());
        item.field("token_source", token_place(one));
      }
    }
    const auto handlers = toml_to_json(settings.describe());
    out.raw("daemon", handlers ? *handlers : "null");
  }
  return std::move(writer).take() + "\n";
}

}  // namespace molecule::app
