// What waits for the person: requests of agents, and permission prompts.

import { get, post, response } from "./api";
import { count, exposed, list, name, record, text, time } from "./decode";
import { Resource } from "./resource";

export interface Request {
  id: string;
  kind: "task" | "approval";
  permission: boolean;
  agent: string;
  agentName: string;
  title: string;
  detail: string;
  status: string;
  priority: number;
  created: number;
  tool: string;
  preview: string;
  host: string;
  reason: string;
  responded: number;
}

export interface Remark {
  id: string;
  author: string;
  byPerson: boolean;
  body: string;
  at: number;
}

function readRequest(item: unknown): Request {
  const row = record(item);
  const permission = row.source === "permission";
  return {
    id: text(row.id),
    kind: row.kind === "approval" ? "approval" : "task",
    permission,
    agent: text(row.workspace_id) || text(row.requester_id),
    agentName: name(row.workspace_name),
    title: name(row.title) || "(no title)",
    detail: exposed(permission ? row.description : row.detail),
    status: text(row.status),
    priority: count(row.priority),
    created: time(row.created_at),
    tool: name(row.tool_name),
    preview: exposed(row.input_preview),
    host: name(row.session),
    reason: text(row.reason),
    responded: time(row.responded_at),
  };
}

export const isOpen = (request: Request) =>
  request.status === "pending" || request.status === "info_requested";

/// An agent that waits for a permission can do nothing else; then what agents call urgent, then the
/// newest. The platform gives each agent its turn, so that none fills the list.
const order = (a: Request, b: Request): number =>
  Number(b.permission) - Number(a.permission) || b.priority - a.priority || b.created - a.created;

const pageSize = 200;
/// More are loaded when the person asks for them; they are counted from the start.
const extent = { pages: 1, total: 0 };

export const pending = new Resource("what waits for you", async () => {
  const found = new Map<string, Request>();
  for (let page = 0; page < extent.pages; page += 1) {
    const reply = await response("GET", `requests/pending?limit=${pageSize}&offset=${found.size}`);
    const rows = list(await reply.json()).map(readRequest);
    extent.total = Math.max(Number(reply.headers.get("X-Total-Count")) || 0, found.size + rows.length);
    for (const row of rows) found.set(row.id, row);
    if (rows.length === 0 || found.size >= extent.total) break;
  }
  return [...found.values()].sort(order);
});
/// How many wait in all, those that are not loaded included.
export const waiting = (): number => Math.max(extent.total, (pending.data ?? []).length);
export const unloaded = (): number => waiting() - (pending.data ?? []).length;

export async function loadMore(): Promise<void> {
  extent.pages += 1;
  await pending.load();
}

const decidedPage = 100;
export const decided = new Resource("what was decided", async () =>
  list(await get(`requests?status=decided&limit=${decidedPage}`)).map(readRequest));

/// What was asked and answered about one, for a view that opens and closes it.
export function threadOf(id: string): Resource<Remark[]> {
  return new Resource("the questions and answers", async () => {
    const body = record(await get(`requests/${encodeURIComponent(id)}`));
    return list(body.messages).map((item) => {
      const row = record(item);
      return {
        id: text(row.id),
        author: text(row.author_id),
        byPerson: row.author_type === "user",
        body: exposed(row.body),
        at: time(row.created_at),
      };
    });
  }, `thread ${id}`);
}

export type Action = "done" | "approved" | "rejected";

/// The buttons of a row come from its own kind, whatever list it is in.
export const acceptance = (request: Request): Action => (request.kind === "approval" ? "approved" : "done");

export const respond = (id: string, action: Action, message: string) =>
  post(`requests/${encodeURIComponent(id)}/respond`, message ? { action, message } : { action });

export const remark = (id: string, body: string) =>
  post(`requests/${encodeURIComponent(id)}/messages`, { body });
