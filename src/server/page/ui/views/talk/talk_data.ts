// What agents say to each other, in threads: a task, what was answered to it, and how it stands.

import { get } from "../../core/api";
import { count, list, record, text, time, type Data } from "../../core/decode";
import { Resource } from "../../core/resource";

export interface Said {
  id: string;
  seq: number;
  from: string;
  to: string;
  text: string;
  at: number;
  messageId: string;
  replyTo: string;
  /// Of a delegation: queued, completed, failed, …
  state: string;
}

export interface Thread {
  key: string;
  pair: string;
  said: Said[];
  state: string;
  last: number;
}

function wordsOf(body: Data): string {
  const message = record(record(body.params).message);
  const parts = list(message.parts).map((part) => text(record(part).text)).filter(Boolean);
  return parts.join("\n") || text(body.task);
}

function readRow(item: unknown): Said {
  const row = record(item);
  const body = record(row.request_body);
  const message = record(record(body.params).message);
  const metadata = record(message.metadata);
  const delegation = row.activity_type === "delegation";
  return {
    id: text(row.id),
    seq: count(row.seq),
    from: text(row.source_id),
    to: text(row.target_id) || text(row.workspace_id),
    text: wordsOf(body) || text(row.summary),
    at: time(row.created_at),
    messageId: text(message.messageId) || text(body.delegation_id) || text(row.message_id),
    replyTo: text(metadata.in_reply_to),
    state: delegation ? text(row.status) : "",
  };
}

export interface Talk {
  said: Said[];
  /// Of the next older page; 0 if there is none.
  before: number;
}

async function page(agent: string, before: number): Promise<Talk> {
  const query = new URLSearchParams({ limit: "200" });
  if (agent) query.set("agent", agent);
  if (before) query.set("before_seq", String(before));
  const body = record(await get(`page/talk?${query}`));
  return { said: list(body.rows).map(readRow), before: count(body.next_before) };
}

/// The newest page, with what was loaded before it: reading must not be interrupted by what is said.
async function newest(agent: string): Promise<Talk> {
  const fresh = await page(agent, 0);
  const had = resources.get(agent)?.data;
  const lowest = fresh.said[fresh.said.length - 1]?.seq ?? 0;
  // More was said than a page holds: what was loaded before would have a gap.
  if (!had || !fresh.before || !had.said.some((said) => said.seq >= lowest)) return fresh;
  const older = had.said.filter((said) => said.seq < lowest);
  return older.length > 0 ? { said: [...fresh.said, ...older], before: had.before } : fresh;
}

const resources = new Map<string, Resource<Talk>>();

/// What became of a delegation that is older than the page which an event loads anew.
export function settleDelegation(payload: Data): void {
  const id = text(payload.delegation_id);
  if (!id) return;
  const state = text(payload.status) || ("response_preview" in payload ? "completed" : "error" in payload ? "failed" : "");
  for (const { data } of resources.values()) {
    for (const said of data?.said ?? []) if (said.state && state && said.messageId === id) said.state = state;
  }
}

/// Of one agent, or of all.
export function talkOf(agent: string): Resource<Talk> {
  let resource = resources.get(agent);
  if (!resource) {
    resource = new Resource("what the agents said", () => newest(agent));
    resources.set(agent, resource);
  }
  return resource;
}

export async function loadOlder(agent: string): Promise<void> {
  const { data } = talkOf(agent);
  if (!data?.before) return;
  const older = await page(agent, data.before);
  talkOf(agent).data = { said: [...data.said, ...older.said], before: older.before };
}

const pause = 15 * 60_000;
const pairOf = (said: Said) => [said.from, said.to].sort().join(" ");

/// Newest first; within a thread oldest first. A delegation and its message are one.
export function threads(all: Said[]): Thread[] {
  const messages = new Map<string, Said>();
  const states = new Map<string, string>();
  for (const said of all) {
    const id = said.messageId || said.id;
    if (said.state) states.set(id, said.state);
    const known = messages.get(id);
    if (!known || (known.state && !said.state)) messages.set(id, said);
  }
  const found = new Map<string, Thread>();
  const root = (said: Said, depth = 0): string => {
    const asked = said.replyTo ? messages.get(said.replyTo) : undefined;
    return asked && depth < 50 ? root(asked, depth + 1) : said.replyTo || said.messageId || said.id;
  };
  // Messages that answer nothing and are no task belong together while two keep talking.
  const talking = new Map<string, Thread>();
  for (const said of [...messages.values()].sort((a, b) => a.at - b.at || a.seq - b.seq)) {
    const loose = !said.replyTo && !states.has(said.messageId || said.id);
    const before = talking.get(pairOf(said));
    const key = loose && before && said.at - before.last < pause ? before.key : root(said);
    const thread = found.get(key) ?? { key, pair: pairOf(said), said: [], state: states.get(key) ?? "", last: 0 };
    thread.said.push(said);
    thread.last = said.at;
    found.set(key, thread);
    if (loose) talking.set(thread.pair, thread);
  }
  return [...found.values()].sort((a, b) => b.last - a.last);
}
