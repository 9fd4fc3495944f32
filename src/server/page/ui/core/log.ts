// The event log: what the platform kept, and what came since, each event once.

import { get } from "./api";
import { list, record, text, time, type Data } from "./decode";
import type { Frame } from "./live";
import { Resource } from "./resource";

export interface Entry {
  key: string;
  /// Of the stored row, and whether the event arrived; each is found once.
  id: string;
  arrived: boolean;
  type: string;
  agent: string;
  at: number;
  payload: Data;
}

const keep = 1000;
/// As many as the platform lists.
const pageSize = 100;

// A log of these would be nothing but heartbeats; older spellings say what REQUEST_ has said; and what
// is said to or by a person, or to many, is there as a row of each message.
const quiet = new RegExp(
  "^(WORKSPACE_HEARTBEAT|PART_CHANGED|MESSAGE_FETCHED|MESSAGE_HANDLED|AWAITING_AGENT|USER_MESSAGE|BROADCAST_MESSAGE" +
  "|(USER_TASK|APPROVAL)_.*)$");

/// A row of what a person and an agent say to each other stands for an event of its own.
function typeOf(type: string, payload: Data): string {
  if (type !== "ACTIVITY_LOGGED") return type;
  if (payload.method === "notify") return "AGENT_MESSAGE";
  return payload.method === "message/send" && !payload.source_id ? "USER_MESSAGE" : type;
}

/// A row and its event have their times within the same transaction.
const same = (one: Entry, other: Entry): boolean =>
  one.type === other.type && one.agent === other.agent && Math.abs(one.at - other.at) < 50;

/// With the microseconds: they are the order of what one call caused.
const exactTime = (value: unknown): number => time(value) + Number(`0.${/\.\d{3}(\d+)/.exec(text(value))?.[1] ?? 0}`);

function readRows(rows: unknown): Entry[] {
  return list(rows).map(record).filter((row) => !quiet.test(text(row.event_type))).map((row) => {
    const [id, payload] = [text(row.id), record(row.payload)];
    return {
      key: id, id, arrived: false, payload, type: typeOf(text(row.event_type), payload),
      agent: text(row.workspace_id), at: exactTime(row.created_at),
    };
  });
}

export class EventLog {
  /// Newest first.
  entries: Entry[] = [];
  readonly stored: Resource<true>;

  /// Of one agent, or of all.
  constructor(readonly agent: string) {
    this.stored = new Resource("the event log", async () => {
      const lists = await Promise.all([
        get(agent ? `events/${agent}` : "events"), get(agent ? `page/log?agent=${agent}` : "page/log"),
      ]);
      this.addRows(lists.map(list));
      return true as const;
    });
  }
  private addRows(lists: unknown[][]): void {
    const known = new Set(this.entries.map((entry) => entry.id));
    const listed = new Set<string>();
    const fresh: Entry[] = [];
    let gap = 0;
    for (const rows of lists) {
      const had = fresh.length;
      const read = readRows(rows);
      for (const row of read) {
        listed.add(row.id);
        if (known.has(row.id)) continue;
        const arrived = this.entries.find((entry) => !entry.id && same(entry, row));
        if (arrived) [arrived.id, arrived.at] = [row.id, row.at];
        else fresh.push(row);
      }
      // More was missed than a page holds: it does not follow on what is older.
      const missed = fresh.length - had;
      if (rows.length >= pageSize && missed > 0 && missed === read.length) gap = Math.max(gap, read[missed - 1].at);
    }
    const kept = this.entries.filter((entry) => entry.at >= gap || listed.has(entry.id));
    this.entries = [...kept, ...fresh].sort((a, b) => b.at - a.at).slice(0, keep);
  }
  /// An event arrived.
  add(entry: Entry): void {
    if (this.agent && this.agent !== entry.agent) return;
    const known = this.entries.find((other) => !other.arrived && same(other, entry));
    if (known) {
      known.arrived = true;
      return;
    }
    this.entries.unshift({ ...entry });
    if (this.entries.length > keep) this.entries.length = keep;
  }
}

// That of all is there from the start: what is not kept as a row stays in it.
const logs = new Map([["", new EventLog("")]]);

export function logOf(agent: string): EventLog {
  let log = logs.get(agent);
  if (!log) logs.set(agent, (log = new EventLog(agent)));
  return log;
}

let next = 1;

export function remember(frame: Frame): void {
  if (quiet.test(frame.event)) return;
  const { agent, at, payload } = frame;
  const entry = { key: `live ${next++}`, id: "", arrived: true, type: typeOf(frame.event, payload), agent, at, payload };
  for (const log of logs.values()) log.add(entry);
}
