import { h, Component } from "preact";
import { ApiError, explain, get } from "../../core/api";
import { agents, clock, nameOf } from "../../core/agents";
import { conversation } from "../../core/conversation";
import { list, name, record, text, time, type Data } from "../../core/decode";
import { agentHref, go } from "../../core/route";
import { ui } from "../../core/ui";
import { Dialog } from "../../parts/dialog";
import { Icon, type IconName } from "../../parts/icons";
import { valueOf } from "../../parts/view";

interface Hit {
  key: string;
  icon: IconName;
  title: string;
  detail: string;
  run: () => void;
}

interface State {
  words: string;
  found: Hit[];
  at: number;
  error: string;
  searching: boolean;
}

const toPlace = (hash: string) => () => go(hash);

const actions: Hit[] = [
  { key: "new", icon: "plus", title: "New agent", detail: "create and connect it", run: () => ui.open("create") },
  { key: "agents", icon: "agents", title: "Agents", detail: "go to", run: toPlace("#/agents") },
  { key: "map", icon: "map", title: "Map", detail: "go to", run: toPlace("#/map") },
  { key: "inbox", icon: "inbox", title: "Inbox", detail: "go to", run: toPlace("#/inbox") },
  { key: "talk", icon: "talk", title: "Agent talk", detail: "go to", run: toPlace("#/talk") },
  { key: "activity", icon: "activity", title: "Activity", detail: "go to", run: toPlace("#/activity") },
  { key: "settings", icon: "settings", title: "Settings", detail: "go to", run: toPlace("#/settings") },
  { key: "keys", icon: "settings", title: "Keyboard shortcuts", detail: "show the keys", run: () => ui.open("keys") },
];

function local(words: string): Hit[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (value: string) => wanted.every((word) => value.toLowerCase().includes(word));
  const known = [...agents.values()].filter((agent) => fits(`${agent.name} ${agent.role}`)).slice(0, 8).map((agent): Hit => ({
    key: agent.id, icon: "agents", title: agent.name, detail: agent.role || "agent", run: toPlace(agentHref(agent.id)),
  }));
  return [...known, ...actions.filter((action) => fits(`${action.title} ${action.detail}`))];
}

/// In the chat, or in what agents say to each other.
async function goToMessage(agent: string, at: number): Promise<void> {
  const inChat = await conversation(agent).seek(at);
  go(agentHref(agent, inChat ? "chat" : "talk"));
}

const wordsOf = (row: Data): string => (text(row.content) || text(row.label)).replace(/\s+/g, " ");

function readHit(row: Data): Hit | null {
  const agent = text(row.workspace_id);
  const kind = text(row.kind);
  if (kind === "workspace" || !agents.has(agent)) return null;
  const content = wordsOf(row);
  const memory = kind === "memory";
  return {
    key: `${kind} ${text(row.id)}`,
    icon: memory ? "file" : "talk",
    title: content.slice(0, 140) || "(no text)",
    detail: `${memory ? "memory" : "message"} · ${name(row.workspace_name) || nameOf(agent)} · ${clock(time(row.created_at))}`,
    run: memory ? toPlace(agentHref(agent, "details")) : () => void goToMessage(agent, time(row.created_at)),
  };
}

/// A delegation is found as the message that it sends, and its result as the answer.
function readHits(rows: Data[]): Hit[] {
  const sent = (row: Data) => !text(row.method).startsWith("delegate");
  const said = new Set(rows.filter(sent).map(wordsOf));
  return rows.filter((row) => sent(row) || !said.has(wordsOf(row))).map(readHit).filter((hit): hit is Hit => hit !== null);
}

/// Ctrl-K: agents, messages, memories and actions in one list.
export class Search extends Component<Record<string, never>, State> {
  state: State = { words: "", found: [], at: 0, error: "", searching: false };
  private timer = 0;

  componentWillUnmount(): void {
    clearTimeout(this.timer);
  }
  private readonly type = (event: Event): void => {
    const words = valueOf(event);
    this.setState({ words, at: 0, error: "", found: [] });
    clearTimeout(this.timer);
    if (words.trim().length > 1) this.timer = window.setTimeout(() => void this.ask(words), 150);
  };
  private async ask(words: string): Promise<void> {
    this.setState({ searching: true });
    try {
      const rows = list(await get(`search?limit=30&q=${encodeURIComponent(words.trim())}`)).map(record);
      if (words !== this.state.words) return;
      this.setState({ found: readHits(rows) });
    } catch (error) {
      // A platform without this search still finds agents and actions.
      const lacks = error instanceof ApiError && error.status === 404;
      if (words === this.state.words && !lacks) this.setState({ error: explain(error, "search the messages") });
    }
    this.setState({ searching: false });
  }
  private hits(): Hit[] {
    return [...local(this.state.words), ...this.state.found];
  }
  private choose(hit: Hit | undefined): void {
    if (!hit) return;
    ui.close();
    hit.run();
  }
  private readonly key = (event: KeyboardEvent): void => {
    const length = this.hits().length;
    if (event.key === "Enter" && !event.isComposing && event.keyCode !== 229) {
      event.preventDefault();
      this.choose(this.hits()[this.state.at]);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const at = (this.state.at + (event.key === "ArrowDown" ? 1 : length - 1)) % Math.max(1, length);
      this.setState({ at });
      document.getElementById(`hit-${at}`)?.scrollIntoView({ block: "nearest" });
    }
  };
  render() {
    const hits = this.hits();
    const { at, words, error, searching } = this.state;
    return (
      <Dialog title="Search" onClose={ui.close} wide>
        <label class="search-field big">
          <Icon name="search" />
          <span class="hidden">Search agents, messages, memories and actions</span>
          <input
            autofocus
            role="combobox"
            aria-expanded="true"
            aria-controls="hits"
            aria-activedescendant={hits.length ? `hit-${at}` : null}
            autocomplete="off"
            placeholder="Agents, messages, memories, actions"
            value={words}
            onInput={this.type}
            onKeyDown={this.key}
          />
        </label>
        {error && <p class="problem" role="alert">{error}</p>}
        <ul id="hits" class="hits" role="listbox" aria-label="Found">
          {hits.map((hit, index) => (
            <li
              key={hit.key}
              id={`hit-${index}`}
              role="option"
              aria-selected={index === at ? "true" : "false"}
              onClick={() => this.choose(hit)}
              onMouseMove={() => index !== at && this.setState({ at: index })}
            >
              <Icon name={hit.icon} />
              <bdi class="title">{hit.title}</bdi>
              <bdi class="dim">{hit.detail}</bdi>
            </li>
          ))}
        </ul>
        <p class="hint" role="status">
          {hits.length === 0 && !searching ? "Nothing found." : searching ? "Searching…" : "↑ ↓ choose · Enter opens · Esc closes"}
        </p>
      </Dialog>
    );
  }
}
