#include "server/api/workspaces/snippets.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace molecule::server {

namespace {

// Placeholders: {{PLATFORM_URL}}, {{WORKSPACE_ID}}, {{SHORT_ID}} and {{AUTH_TOKEN}}.

constexpr std::string_view curl_template = R"(WORKSPACE_ID="{{WORKSPACE_ID}}"
PLATFORM_URL="{{PLATFORM_URL}}"
WORKSPACE_AUTH_TOKEN="{{AUTH_TOKEN}}"

# Stay online: register once, then repeat the second command at least every 90 seconds.
curl -fsS -X POST "$PLATFORM_URL/registry/register" \
  -H "Authorization: Bearer $WORKSPACE_AUTH_TOKEN" -H "Content-Type: application/json" \
  -d '{"id":"{{WORKSPACE_ID}}","url":"","delivery_mode":"poll","agent_card":{"name":"curl"}}'
curl -fsS -X POST "$PLATFORM_URL/registry/heartbeat" \
  -H "Authorization: Bearer $WORKSPACE_AUTH_TOKEN" -H "Content-Type: application/json" \
  -d '{"workspace_id":"{{WORKSPACE_ID}}"}'

# Messages of the last ten minutes.
curl -fsS "$PLATFORM_URL/workspaces/$WORKSPACE_ID/activity?type=a2a_receive&since_secs=600" \
  -H "Authorization: Bearer $WORKSPACE_AUTH_TOKEN"
)";

constexpr std::string_view python_template = R"(import json, time, urllib.request

WORKSPACE_ID  = "{{WORKSPACE_ID}}"
PLATFORM_URL  = "{{PLATFORM_URL}}"
AUTH_TOKEN    = "{{AUTH_TOKEN}}"


def call(method, path, body=None):
    request = urllib.request.Request(
        PLATFORM_URL + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": "Bearer " + AUTH_TOKEN, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply)


call("POST", "/registry/register", {
    "id": WORKSPACE_ID, "url": "", "delivery_mode": "poll", "agent_card": {"name": "python"}})
seen = set()
while True:
    call("POST", "/registry/heartbeat", {"workspace_id": WORKSPACE_ID})
    inbox = "/workspaces/" + WORKSPACE_ID + "/activity?type=a2a_receive&since_secs=600"
    for row in reversed(call("GET", inbox)):
        if row["id"] not in seen:
            seen.add(row["id"])
            print(row["created_at"], row["summary"], json.dumps(row.get("request_body")))
    time.sleep(5)
)";

constexpr std::string_view claude_template =
    R"(claude mcp add molecule-{{SHORT_ID}} -e WORKSPACE_ID="{{WORKSPACE_ID}}" -e PLATFORM_URL="{{PLATFORM_URL}}" -e MOLECULE_WORKSPACE_TOKEN="{{AUTH_TOKEN}}" -e MOLECULE_MCP_STAY=1 -- molecule-mcp
)";

constexpr std::string_view environment_template = R"(export WORKSPACE_ID="{{WORKSPACE_ID}}"
export PLATFORM_URL="{{PLATFORM_URL}}"
export MOLECULE_WORKSPACE_TOKEN="{{AUTH_TOKEN}}"
export MOLECULE_MCP_STAY=1
# Any MCP host that passes its environment on can now start the command: molecule-mcp
)";

constexpr std::string_view codex_template = R"([mcp_servers.molecule-{{SHORT_ID}}]
command = "molecule-mcp"

[mcp_servers.molecule-{{SHORT_ID}}.env]
WORKSPACE_ID = "{{WORKSPACE_ID}}"
PLATFORM_URL = "{{PLATFORM_URL}}"
MOLECULE_WORKSPACE_TOKEN = "{{AUTH_TOKEN}}"
MOLECULE_MCP_STAY = "1"
)";

constexpr std::string_view gemini_template = R"({
  "mcpServers": {
    "molecule-{{SHORT_ID}}": {
      "command": "molecule-mcp",
      "env": {
        "WORKSPACE_ID": "{{WORKSPACE_ID}}",
        "PLATFORM_URL": "{{PLATFORM_URL}}",
        "MOLECULE_WORKSPACE_TOKEN": "{{AUTH_TOKEN}}",
        "MOLECULE_MCP_STAY": "1"
      }
    }
  }
}
)";

using Values = std::array<std::pair<std::string_view, std::string_view>, 4>;

std::string filled(std::string_view text, const Values& values) {
  std::string out;
  while (!text.empty()) {
    const std::size_t mark = std::min(text.find("{{"), text.size());
    out += text.substr(0, mark);
    text.remove_prefix(mark);
    bool replaced = false;
    for (const auto& [name, value] : values) {
      if (!text.starts_with(name)) continue;
      out += value;
      text.remove_prefix(name.size());
      replaced = true;
      break;
    }
    if (!replaced && !text.empty()) {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace

std::string public_url(const std::string& base_url, const Request& request) {
  if (!base_url.empty()) return base_url;
  return "http://" + std::string(request.header("Host").value_or("localhost"));
}

void write_connection(json::Object& connection, std::string_view platform_url,
                      std::string_view workspace_id, std::string_view token) {
  // The end of an id is random; its beginning is a time, which neighbours share.
  constexpr std::size_t short_characters = 8;
  const Values values = {
      {{"{{PLATFORM_URL}}", platform_url},
       {"{{WORKSPACE_ID}}", workspace_id},
       {"{{SHORT_ID}}",
        workspace_id.substr(workspace_id.size() - std::min(workspace_id.size(), short_characters))},
       {"{{AUTH_TOKEN}}", token.empty() ? "ROTATE_TO_REVEAL_TOKEN" : token}}};
  const std::string base(platform_url);
  connection.field("workspace_id", workspace_id);
  connection.field("platform_url", platform_url);
  connection.field("auth_token", token);
  connection.field("registry_endpoint", base + "/registry/register");
  connection.field("heartbeat_endpoint", base + "/registry/heartbeat");
  connection.field("curl_register_template", filled(curl_template, values));
  connection.field("python_snippet", filled(python_template, values));
  connection.field("claude_code_channel_snippet", filled(claude_template, values));
  connection.field("universal_mcp_snippet", filled(environment_template, values));
  connection.field("codex_snippet", filled(codex_template, values));
  connection.field("gemini_snippet", filled(gemini_template, values));
}

}  // namespace molecule::server
