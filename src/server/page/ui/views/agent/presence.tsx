import { h } from "preact";
import { get } from "../../core/api";
import { clock, isOnline, type Agent } from "../../core/agents";
import { now } from "../../core/clock";
import { duration, list, record, text, time } from "../../core/decode";
import { Resource } from "../../core/resource";

interface Change {
  at: number;
  online: boolean;
}

const onlineAfter: Record<string, boolean> = {
  WORKSPACE_ONLINE: true,
  WORKSPACE_DEGRADED: true,
  WORKSPACE_OFFLINE: false,
  WORKSPACE_PAUSED: false,
  WORKSPACE_HIBERNATED: false,
  WORKSPACE_PROVISIONING: false,
};

interface Kept {
  changes: Change[];
  /// The platform returned a full page: before its oldest row nothing is known.
  from: number;
}

const resources = new Map<string, Resource<Kept>>();

export function eventsOf(agent: string): Resource<Kept> {
  let resource = resources.get(agent);
  if (!resource) {
    resource = new Resource("the agent's presence", async () => {
      const rows = list(await get(`events/${agent}`)).map(record);
      const changes = rows
        .filter((row) => text(row.event_type) in onlineAfter)
        .map((row) => ({ at: time(row.created_at), online: onlineAfter[text(row.event_type)] }))
        .reverse();
      return { changes, from: rows.length >= 100 ? time(rows[rows.length - 1].created_at) : 0 };
    }, `presence ${agent}`);
    resources.set(agent, resource);
  }
  return resource;
}

const day = 86_400_000;

/// Parts of the day that end at `now`: online, away, or not known.
export function parts(kept: Kept, now: number, online: boolean): { from: number; to: number; state: string }[] {
  const start = now - day;
  const before = kept.changes.filter((change) => change.at <= start).pop();
  let state = before ? (before.online ? "on" : "off") : kept.from > start ? "unknown" : "off";
  let at = start;
  const out = [];
  for (const change of kept.changes) {
    if (change.at <= start) continue;
    out.push({ from: at, to: change.at, state });
    at = change.at;
    state = change.online ? "on" : "off";
  }
  out.push({ from: at, to: now, state: online ? "on" : state === "on" ? "off" : state });
  return out.filter((part) => part.to > part.from);
}

export function PresenceBar({ agent }: { agent: Agent }) {
  const kept = eventsOf(agent.id);
  if (kept.missing) return null;
  if (kept.error) return <p class="hint">{kept.error}</p>;
  const end = now();
  const shown = parts(kept.data ?? { changes: [], from: 0 }, end, isOnline(agent));
  const online = shown.filter((part) => part.state === "on").reduce((sum, part) => sum + part.to - part.from, 0);
  const words = online > 0 ? `online for ${duration(Math.round(online / 1000))} of it` : "not online";
  return (
    <div class="presence">
      <svg viewBox="0 0 1440 24" preserveAspectRatio="none" role="img" aria-label={words}>
        {shown.map((part) => (
          <rect
            class={part.state}
            x={((part.from - (end - day)) / day) * 1440}
            width={Math.max(1.5, ((part.to - part.from) / day) * 1440)}
            height="24"
          >
            <title>{`${clock(part.from)} to ${clock(part.to)}: ${part.state === "on" ? "online" : part.state === "off" ? "away" : "not known"}`}</title>
          </rect>
        ))}
      </svg>
      <p class="hint axis"><span>24 h ago</span><span>{words}</span><span>now</span></p>
    </div>
  );
}
