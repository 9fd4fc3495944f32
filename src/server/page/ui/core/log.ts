// The event log: what the platform kept, and what came since, each event once.

import { get } from "./api";
import { list, record, text, time, type Data } from "./decode";
import type { Frame } from "./live";
import { Resource } from "./resource";

export interface Entry {
  key: string;
  type: string;
  agent: string;
  at: number;
  payload: Data;
}

const keep = 1000;
export const entries: Entry[] = [];
let next = 1;

// A log of these would be nothing but heartbeats; and older spellings say what REQUEST_ has said.
const quiet = /^(WORKSPACE_HEARTBEAT|PART_CHANGED|MESSAGE_FETCHED|AWAITING_AGENT|(USER_TASK|APPROVAL)_.*)$/;

function same(entry: Entry, type: string, agent: string, at: number): boolean {
  // The stored row and the frame have their times within the same transaction.
  return entry.type === type && entry.agent === agent && Math.abs(entry.at - at) < 50;
}

function add(entry: Entry): void {
  if (quiet.test(entry.type)) return;
  if (entries.some((known) => same(known, entry.type, entry.agent, entry.at))) return;
  const at = entries.findIndex((known) => known.at < entry.at);
  entries.splice(at < 0 ? entries.length : at, 0, entry);
  if (entries.length > keep) entries.length = keep;
}

/// The rows of what the person says to an agent, and it to the person, have events of their own.
const hasOwnEvent = ({ event, payload }: Frame): boolean =>
  event === "ACTIVITY_LOGGED" && (payload.method === "notify" || (payload.method === "message/send" && !payload.source_id));

export function remember(frame: Frame): void {
  if (quiet.test(frame.event) || hasOwnEvent(frame)) return;
  entries.unshift({ key: `live ${next++}`, type: frame.event, agent: frame.agent, at: frame.at, payload: frame.payload });
  if (entries.length > keep) entries.length = keep;
}

export const log = new Resource("the event log", async () => {
  for (const item of list(await get("events"))) {
    const row = record(item);
    add({
      key: text(row.id), type: text(row.event_type), agent: text(row.workspace_id),
      at: time(row.created_at), payload: record(row.payload),
    });
  }
  return true as const;
});
