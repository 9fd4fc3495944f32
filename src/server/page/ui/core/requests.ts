// What waits for the person: requests of agents, and permission prompts.

import { get, post } from "./api";
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

const readAll = async (path: string) => list(await get(path)).map(readRequest);

// The platform gives each agent its turn; a person reads the newest first.
export const pending = new Resource("what waits for you", async () =>
  (await readAll("requests/pending")).sort((a, b) => b.created - a.created));
export const decided = new Resource("what was decided", async () =>
  (await readAll("requests?limit=50")).filter((request) => !isOpen(request)));

export async function thread(id: string): Promise<Remark[]> {
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
}

export type Action = "done" | "approved" | "rejected";

/// The buttons of a row come from its own kind, whatever list it is in.
export const acceptance = (request: Request): Action => (request.kind === "approval" ? "approved" : "done");

export const respond = (id: string, action: Action, message: string) =>
  post(`requests/${encodeURIComponent(id)}/respond`, message ? { action, message } : { action });

export const remark = (id: string, body: string) =>
  post(`requests/${encodeURIComponent(id)}/messages`, { body });
