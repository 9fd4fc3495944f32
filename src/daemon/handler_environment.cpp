#include "daemon/handler_environment.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include "base/files/files.hpp"
#include "base/log.hpp"
#include "base/process.hpp"
#include "base/text/redact.hpp"
#include "base/text/text.hpp"
#include "base/uuid.hpp"

extern char** environ;

namespace molecule::daemon {

namespace {

constexpr std::array<std::string_view, 14> withheld{
    "WORKSPACE_ID", "PLATFORM_URL",     "CONFIGS_DIR",    "ADMIN_TOKEN",     "NOTIFY_SOCKET",
    "WATCHDOG_",    "LISTEN_",          "JOURNAL_STREAM", "CREDENTIALS_",    "INVOCATION_ID",
    "MOLECULE_",    "SYSTEMD_EXEC_PID", "MANAGERPID",     "XPC_SERVICE_NAME"};

/// Variables that a server needs which a CLI starts with a clean environment.
constexpr std::array<const char*, 14> passed_on{
    "PATH",         "HOME",           "LANG",       "XDG_CONFIG_HOME", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "CURL_CA_BUNDLE", "http_proxy", "https_proxy",     "HTTPS_PROXY",
    "all_proxy",    "ALL_PROXY",      "no_proxy",   "NO_PROXY"};

/// The file from which a server reads the workspace's token; empty if it finds it by itself.
std::string token_file(workspace::Workspace& workspace) {
  const std::filesystem::path& folder = workspace.config().state_folder;
  const std::string& token = workspace.credentials.token();
  const auto issued = files::read(folder / ".auth_token");
  if (token.empty() || (issued && text::trim(*issued) == token)) return {};
  const std::filesystem::path file = folder / ".handler_token";
  const auto present = files::read(file);
  if (present && text::trim(*present) == token) return file.string();
  if (const auto written = files::replace(file, token + "\n"); !written) {
    log::warning("the handler's tools have no token: {}", written.error().message);
    return {};
  }
  return file.string();
}

}  // namespace

std::vector<std::string> inherited_environment(const std::vector<std::string>& secrets) {
  std::vector<std::string> inherited;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view one = *at;
    const bool own = std::ranges::any_of(
        withheld, [one](std::string_view name) { return one.starts_with(name); });
    const bool secret = std::ranges::any_of(secrets, [one](const std::string& value) {
      return value.size() >= min_secret_bytes && one.find(value) != std::string_view::npos;
    });
    if (!own && !secret) inherited.emplace_back(one);
  }
  // The person's own hooks stay silent in a handler.
  inherited.emplace_back("MOLECULE_HANDLER=1");
  return inherited;
}

std::vector<std::pair<std::string, std::string>> message_environment(const Incoming& incoming) {
  const workspace::Message& message = incoming.message;
  return {{"MOLECULE_WORKSPACE_ID", incoming.workspace_id},
          {"MOLECULE_ACTIVITY_ID", message.activity_id},
          {"MOLECULE_CONVERSATION", incoming.conversation},
          {"MOLECULE_KIND", message.kind},
          {"MOLECULE_PEER_ID", message.peer_id},
          {"MOLECULE_PEER_NAME", message.peer_name}};
}

Turn::Server mcp_server(const workspace::Config& config, workspace::Workspace& workspace,
                        const Incoming& incoming) {
  const workspace::WorkspaceConfig& own = workspace.config();
  const bool person = incoming.message.peer_id.empty();
  const int hops = person ? 0 : std::max(incoming.message.hops, 0) + 1;
  Turn::Server server;
  server.program = process::own_program();
  server.file = own.state_folder / fmt::format("handler-{}.json", random_uuid());
  auto& environment = server.environment;
  for (const char* name : passed_on) {
    if (const char* value = std::getenv(name)) environment.emplace_back(name, value);
  }
  environment.emplace_back("WORKSPACE_ID", own.id);
  environment.emplace_back("PLATFORM_URL", own.platform_url);
  environment.emplace_back("CONFIGS_DIR", own.state_folder.string());
  environment.emplace_back("MOLECULE_CHAT_UPLOAD_DIR", own.upload_folder.string());
  if (!config.org_id.empty()) environment.emplace_back("MOLECULE_ORG_ID", config.org_id);
  if (std::string file = token_file(workspace); !file.empty()) {
    environment.emplace_back("MOLECULE_WORKSPACE_TOKEN_FILE", std::move(file));
  }
  environment.emplace_back("MOLECULE_MCP_SESSION_OF",
                           std::to_string(workspace.inbox.sessions.self()));
  environment.emplace_back("MOLECULE_MCP_HOPS", std::to_string(hops));
  environment.emplace_back("MOLECULE_CONVERSATION", incoming.conversation);
  return server;
}

}  // namespace molecule::daemon
