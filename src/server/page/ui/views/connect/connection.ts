// How an agent connects. The token is in memory until the page is left, and nowhere else.

import { get, post } from "../../core/api";
import { record, text, type Data } from "../../core/decode";
import { Resource } from "../../core/resource";

export interface Connection {
  token: string;
  url: string;
  id: string;
  raw: Data;
}

const kept = new Map<string, Connection>();
const resources = new Map<string, Resource<Connection>>();

function read(value: unknown): Connection {
  const raw = record(value);
  return { token: text(raw.auth_token), url: text(raw.platform_url), id: text(raw.workspace_id), raw };
}

export function keepConnection(agent: string, value: unknown): void {
  kept.set(agent, read(value));
  const resource = resources.get(agent);
  if (resource) void resource.load();
}

export function connectionOf(agent: string): Resource<Connection> {
  let resource = resources.get(agent);
  if (!resource) {
    resource = new Resource("how to connect this agent", async () =>
      kept.get(agent) ?? read(record(await get(`workspaces/${agent}/external/connection`)).connection));
    resources.set(agent, resource);
  }
  return resource;
}

export async function rotate(agent: string): Promise<void> {
  keepConnection(agent, record(await post(`workspaces/${agent}/external/rotate`)).connection);
}

/// Adds a token without touching the others: for one more place where the agent runs.
export async function addToken(agent: string): Promise<void> {
  const made = record(await post(`admin/workspaces/${agent}/tokens`));
  const shown = record(record(await get(`workspaces/${agent}/external/connection`)).connection);
  keepConnection(agent, { ...shown, auth_token: text(made.auth_token) });
}
