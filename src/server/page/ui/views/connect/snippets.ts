// What is pasted where an agent runs. The token goes into a file that only its owner reads, so it is
// in no argument, no history of a host's configuration, and no file that people commit.

export interface Place {
  id: string;
  url: string;
  /// Empty where it cannot be shown again.
  token: string;
  /// The program as it is installed here.
  program: string;
}

export interface Snippet {
  id: string;
  title: string;
  where: string;
  text: (place: Place) => string;
}

export const noToken = "PASTE-THE-TOKEN-HERE";
/// The end of an id is random; its beginning is a time, which agents made together share.
const short = (place: Place) => place.id.slice(-8);
const tokenFile = (place: Place) => `~/.config/molecule/${short(place)}.token`;

/// For a POSIX shell.
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`;
}

export function saveToken(place: Place): string {
  return `(umask 077; mkdir -p ~/.config/molecule; cat > ${tokenFile(place)} <<'END'
${place.token || noToken}
END
)
`;
}

const environment = (place: Place) => ({
  WORKSPACE_ID: place.id,
  PLATFORM_URL: place.url,
  MOLECULE_WORKSPACE_TOKEN_FILE: tokenFile(place),
});

/// `molecule-mcp setup`, which puts the token where every command finds it.
function setup(place: Place): string {
  return `${quoted(place.program)} setup --url ${quoted(place.url)} --workspace ${place.id} --token-file ${tokenFile(place)} --no-input\n`;
}

/// What puts the entry and the hooks into a host's own files, without a token.
function install(place: Place, host: string, options = ""): string {
  return `${setup(place)}${quoted(place.program)} install ${host} --workspace ${place.id}${options}\n`;
}

const assignments = (place: Place, before: string) =>
  Object.entries(environment(place)).map(([key, value]) =>
    `${before}${key}=${value.startsWith("~/") ? value : quoted(value)}`);

export const snippets: Snippet[] = [
  {
    id: "terminal", title: "Terminal", where: "In a shell. It keeps the agent online until you end it with Ctrl-C.",
    text: (place) => `${assignments(place, "export ").join("\n")}\n${quoted(place.program)} daemon\n`,
  },
  {
    id: "claude", title: "Claude Code", where: "In a shell. Claude Code has the agent from its next session on.",
    text: (place) => install(place, "claude-code", " --hooks"),
  },
  {
    id: "codex", title: "Codex", where: "In a shell. Codex asks at its next start whether it may run the hooks.",
    text: (place) => install(place, "codex", " --hooks"),
  },
  {
    id: "gemini", title: "Gemini CLI", where: "In a shell. Gemini CLI has the agent from its next session on.",
    text: (place) => install(place, "gemini", " --hooks"),
  },
  {
    id: "opencode", title: "opencode", where: "In a shell. molecule-mcp help install names the other hosts.",
    text: (place) => install(place, "opencode"),
  },
  {
    id: "service", title: "Service", where: "In a shell: systemd or launchd then keeps the agent online.",
    text: (place) => `${setup(place)}${quoted(place.program)} service install\n`,
  },
  {
    id: "environment", title: "Environment", where: "For any MCP host that passes its environment on: its command is molecule-mcp.",
    text: (place) => `${assignments(place, "export ").join("\n")}\nexport MOLECULE_MCP_STAY=1\n`,
  },
  {
    id: "curl", title: "curl", where: "In a shell: registers once, shows online, and reads the inbox.",
    text: (place) => `WORKSPACE_ID=${place.id}
PLATFORM_URL=${quoted(place.url)}
# The token goes in on stdin: an argument would show it to every user of the machine.
molecule_curl() { printf 'Authorization: Bearer %s\\n' "$(cat ${tokenFile(place)})" |
  curl -fsS -H @- -H 'Content-Type: application/json' "$@"; }
molecule_curl "$PLATFORM_URL/registry/register" \\
  -d "{\\"id\\":\\"$WORKSPACE_ID\\",\\"url\\":\\"\\",\\"delivery_mode\\":\\"poll\\",\\"agent_card\\":{\\"name\\":\\"curl\\"}}"
# Repeat it at least every 90 seconds to stay online.
molecule_curl "$PLATFORM_URL/registry/heartbeat" -d "{\\"workspace_id\\":\\"$WORKSPACE_ID\\"}"
molecule_curl "$PLATFORM_URL/workspaces/$WORKSPACE_ID/activity?type=a2a_receive&since_secs=600"
`,
  },
  {
    id: "python", title: "Python", where: "As a file, run with python3. It needs nothing but Python.",
    text: (place) => `import json, os, time, urllib.request

WORKSPACE_ID = ${JSON.stringify(place.id)}
PLATFORM_URL = ${JSON.stringify(place.url)}
TOKEN = open(os.path.expanduser(${JSON.stringify(tokenFile(place))})).read().strip()


def call(method, path, body=None):
    request = urllib.request.Request(
        PLATFORM_URL + path, method=method, data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply)


call("POST", "/registry/register", {
    "id": WORKSPACE_ID, "url": "", "delivery_mode": "poll", "agent_card": {"name": "python"}})
seen = set()
while True:
    call("POST", "/registry/heartbeat", {"workspace_id": WORKSPACE_ID})
    for row in reversed(call("GET", "/workspaces/" + WORKSPACE_ID + "/activity?type=a2a_receive&since_secs=600")):
        if row["id"] not in seen:
            seen.add(row["id"])
            print(row["created_at"], row["summary"], json.dumps(row.get("request_body")), flush=True)
    time.sleep(5)
`,
  },
];
