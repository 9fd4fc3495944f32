import { h } from "preact";
import { agents, clock, nameOf } from "../../core/agents";
import { list, name, readable, record, text } from "../../core/decode";
import { logOf, type Entry, type EventLog } from "../../core/log";
import type { Resource } from "../../core/resource";
import { agentHref } from "../../core/route";
import { Empty, Failed, Skeleton } from "../../parts/states";
import { valueOf, View } from "../../parts/view";

interface Props {
  /// Empty: all agents.
  agent: string;
}

interface State {
  agent: string;
  /// As it is shown.
  type: string;
  open: string;
  shown: number;
}

const typeWords: Record<string, string> = {
  WORKSPACE_PROVISIONING: "agent created",
  WORKSPACE_AWAITING_AGENT: "waiting for its agent",
  WORKSPACE_OFFLINE: "agent away",
  AWAITING_AGENT: "agent away",
  ACTIVITY_LOGGED: "activity",
  TASK_UPDATED: "task",
  USER_MESSAGE: "your message",
  AGENT_MESSAGE: "message to you",
  EXTERNAL_CREDENTIALS_ROTATED: "tokens replaced",
};
const words = (type: string) => typeWords[type] ?? type.toLowerCase().replace(/^workspace_/, "agent_").replace(/_/g, " ");

const methodWords: Record<string, string> = { "message/send": "message", request_update: "request update" };

/// What happened. An activity says more of itself than its type.
function happened(entry: Entry): string {
  if (entry.type !== "ACTIVITY_LOGGED") return words(entry.type);
  const kind = text(entry.payload.activity_type);
  const known = kind === "a2a_receive" ? methodWords[text(entry.payload.method)] : "";
  return known || (kind === "a2a_receive" ? words(entry.type) : name(kind).replace(/_/g, " ")) || words(entry.type);
}

/// The words of a message: of its event, of what was notified, or of its parts.
function said({ payload }: Entry): string {
  const words = text(payload.message) || text(record(payload.response_body).result);
  if (words) return words;
  const message = record(record(record(payload.request_body).params).message);
  return list(message.parts).map((part) => text(record(part).text)).filter(Boolean).join(" ");
}

/// What a row says in a line.
function summary(entry: Entry): string {
  const message = said(entry);
  if (message) {
    const from = text(entry.payload.source_id);
    return `${from ? `${nameOf(from)}: ` : ""}${message.replace(/\s+/g, " ").slice(0, 160)}`;
  }
  for (const key of ["summary", "title", "task_preview", "response_preview", "current_task", "error", "sample_error", "status", "name"]) {
    const value = entry.payload[key];
    if (typeof value === "string" && value && value !== agents.get(entry.agent)?.exactName) return value.replace(/\s+/g, " ").slice(0, 160);
  }
  return "";
}

function tone(type: string): string {
  if (/FAILED|DENIED|REMOVED/.test(type)) return "bad";
  if (/ONLINE|COMPLETE|APPROVED/.test(type)) return "good";
  if (/OFFLINE|DEGRADED|AWAITING|REQUEST/.test(type)) return "wait";
  return "off";
}

export class Activity extends View<Props, State> {
  state: State = { agent: "", type: "", open: "", shown: 100 };

  private log(): EventLog {
    return logOf(this.props.agent || this.state.agent);
  }
  resources() {
    return [this.log().stored] as Resource<unknown>[];
  }
  private filters(entries: Entry[]) {
    const types = [...new Set([...entries.map(happened), ...(this.state.type ? [this.state.type] : [])])].sort();
    return (
      <div class="tools">
        {!this.props.agent && (
          <label class="sort">
            <span class="hidden">Of which agent</span>
            <select value={this.state.agent} onChange={(event: Event) => this.setState({ agent: valueOf(event) })}>
              <option value="">All agents</option>
              {[...agents.values()].map((agent) => (
                <option value={agent.id}>{agent.name}</option>
              ))}
            </select>
          </label>
        )}
        <label class="sort">
          <span class="hidden">Of which type</span>
          <select value={this.state.type} onChange={(event: Event) => this.setState({ type: valueOf(event) })}>
            <option value="">All types</option>
            {types.map((type) => (
              <option value={type}>{type}</option>
            ))}
          </select>
        </label>
      </div>
    );
  }
  private row(entry: Entry) {
    const open = this.state.open === entry.key;
    return (
      <li key={entry.key} class="event">
        <button
          type="button"
          class="plain"
          aria-expanded={open ? "true" : "false"}
          onClick={() => this.setState({ open: open ? "" : entry.key })}
        >
          <time dateTime={new Date(entry.at).toISOString()} title={new Date(entry.at).toLocaleString()}>{clock(entry.at)}</time>
          <span class={`status ${tone(entry.type)}`}><span class="dot" aria-hidden="true" />{happened(entry)}</span>
          {!this.props.agent && entry.agent && <bdi class="name">{nameOf(entry.agent)}</bdi>}
          <bdi class="dim what">{summary(entry)}</bdi>
        </button>
        {open && (
          <div class="event-detail">
            {agents.has(entry.agent) && !this.props.agent && <a href={agentHref(entry.agent)}>Open {nameOf(entry.agent)}</a>}
            <pre tabIndex={0} role="group" aria-label="Detail">{readable({ event: entry.type, workspace_id: entry.agent, payload: entry.payload })}</pre>
          </div>
        )}
      </li>
    );
  }
  render() {
    const { entries, stored } = this.log();
    const all = entries.filter((entry) => !this.state.type || happened(entry) === this.state.type);
    return (
      <section class="page activity" aria-label="Activity">
        {!this.props.agent && <header class="bar"><h1>Activity</h1></header>}
        {this.filters(entries)}
        <Failed of={stored} />
        {!stored.data && !stored.error && entries.length === 0 && <Skeleton rows={6} />}
        {stored.data && all.length === 0 && (
          <Empty icon="activity" title={entries.length ? "Nothing matches" : "Nothing happened yet"}>
            <p>{entries.length ? "Choose another agent or type." : "What agents do appears here as it happens."}</p>
          </Empty>
        )}
        <ul class="events">{all.slice(0, this.state.shown).map((entry) => this.row(entry))}</ul>
        {all.length > this.state.shown && (
          <button type="button" class="more" onClick={() => this.setState({ shown: this.state.shown + 200 })}>Older</button>
        )}
      </section>
    );
  }
}
