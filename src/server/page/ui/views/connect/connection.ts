// How an agent connects. The token is in memory until the page is left, and nowhere else.

import { get, post } from "../../core/api";
import { list, record, text, type Data } from "../../core/decode";
import { whenSessionEnds } from "../../core/session";
import { Resource } from "../../core/resource";

export interface Connection {
  token: string;
  url: string;
  id: string;
  raw: Data;
}

const kept = new Map<string, Connection>();
whenSessionEnds(() => kept.clear());
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

/// A token that was revoked meanwhile, here or elsewhere, is not shown as one to use.
async function load(agent: string): Promise<Connection> {
  const known = kept.get(agent);
  if (known?.token) {
    const tokens = list(record(await get(`workspaces/${agent}/tokens?limit=200`)).tokens);
    if (tokens.some((token) => known.token.startsWith(text(record(token).prefix) || "-"))) return known;
    // Replaced while the list was on its way.
    const replaced = kept.get(agent);
    if (replaced && replaced !== known) return replaced;
    kept.delete(agent);
  }
  return read(record(await get(`workspaces/${agent}/external/connection`)).connection);
}

export function connectionOf(agent: string): Resource<Connection> {
  let resource = resources.get(agent);
  if (!resource) {
    resource = new Resource("how to connect this agent", () => load(agent), `tokens ${agent}`);
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
