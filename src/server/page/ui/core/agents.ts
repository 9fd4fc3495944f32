// All agents, kept current by the event stream.

import { get } from "./api";
import { now } from "./clock";
import { count, list, name, record, text, time, type Data } from "./decode";
import { redraw } from "./redraw";
import { Resource } from "./resource";

/// In the platform's own names (platform-api.md 10.5).
export interface Abilities {
  talk_to_user_enabled: boolean;
  can_delegate: boolean;
  broadcast_enabled: boolean;
}

export interface Agent {
  id: string;
  name: string;
  /// As the platform has it, to confirm a removal.
  exactName: string;
  role: string;
  status: string;
  parent: string;
  runtime: string;
  activeTasks: number;
  task: string;
  error: string;
  skills: string[];
  card: Data;
  budgetLimit: number | null;
  spend: number;
  uptime: number;
  abilities: Abilities;
  /// From the overview; 0 until it is known, or if there was none.
  heartbeat: number;
  created: number;
  polls: boolean;
  unread: number;
  /// Messages of the last hour, twelve times five minutes, the newest last.
  traffic: number[];
}

export interface Pair {
  from: string;
  to: string;
  count: number;
  last: number;
}

export const agents = new Map<string, Agent>();
export const pairs = new Map<string, Pair>();
/// A list that was on its way when an agent was removed must not bring it back.
const removed = new Set<string>();

/// Objects with a name, or an id in its place (platform-api.md 8).
function skillNames(card: Data): string[] {
  return list(card.skills)
    .map((skill) => name(record(skill).name) || name(record(skill).id))
    .filter(Boolean)
    .slice(0, 50);
}

function fill(agent: Agent, row: Data): void {
  agent.exactName = text(row.name);
  agent.name = name(row.name) || "(no name)";
  agent.role = name(row.role);
  agent.status = text(row.status);
  agent.parent = text(row.parent_id);
  agent.runtime = name(row.runtime);
  agent.activeTasks = count(row.active_tasks);
  agent.task = name(row.current_task);
  agent.error = name(row.last_sample_error);
  agent.budgetLimit = typeof row.budget_limit === "number" ? row.budget_limit : null;
  agent.spend = count(row.monthly_spend);
  agent.uptime = count(row.uptime_seconds);
  agent.abilities = {
    talk_to_user_enabled: row.talk_to_user_enabled !== false,
    can_delegate: row.can_delegate !== false,
    broadcast_enabled: row.broadcast_enabled === true,
  };
  if (row.last_heartbeat_at) agent.heartbeat = Math.max(agent.heartbeat, time(row.last_heartbeat_at));
  setCard(agent, row.agent_card);
}

export function setCard(agent: Agent, card: unknown): void {
  agent.card = record(card);
  agent.skills = skillNames(agent.card);
}

function blank(id: string): Agent {
  return {
    id, name: "(no name)", exactName: "", role: "", status: "", parent: "", runtime: "", activeTasks: 0, task: "",
    error: "", skills: [], card: {}, budgetLimit: null, spend: 0, uptime: 0,
    abilities: { talk_to_user_enabled: true, can_delegate: true, broadcast_enabled: false }, heartbeat: 0, created: 0,
    polls: true, unread: 0, traffic: new Array<number>(12).fill(0),
  };
}

/// Asked for at once, beside the question whether this browser is logged in: most often it is.
let early: Promise<unknown> | null = get("workspaces").catch(() => null);

async function loadAgents(): Promise<true> {
  const first = await early;
  early = null;
  const rows = list(first ?? (await get("workspaces")));
  const seen = new Set<string>();
  for (const item of rows) {
    const row = record(item);
    const id = text(row.id);
    if (!id || removed.has(id)) continue;
    seen.add(id);
    const agent = agents.get(id) ?? blank(id);
    fill(agent, row);
    agents.set(id, agent);
  }
  for (const id of agents.keys()) if (!seen.has(id)) agents.delete(id);
  return true;
}

async function loadOverview(): Promise<true> {
  const body = record(await get("page/overview"));
  for (const item of list(body.agents)) {
    const row = record(item);
    const agent = agents.get(text(row.id));
    if (!agent) continue;
    agent.heartbeat = Math.max(agent.heartbeat, time(row.last_heartbeat_at));
    agent.created = time(row.created_at);
    agent.polls = row.delivery_mode !== "push";
    agent.unread = count(row.unread);
    agent.traffic = list(row.traffic).map(count);
  }
  pairs.clear();
  for (const item of list(body.pairs)) {
    const row = record(item);
    const pair = { from: text(row.from), to: text(row.to), count: count(row.count), last: time(row.last_at) };
    pairs.set(`${pair.from} ${pair.to}`, pair);
  }
  return true;
}

export const overview = new Resource("the overview", loadOverview);
export const agentList = new Resource("the agents", async () => {
  const done = await loadAgents();
  // It needs the agents, and they must not wait for it.
  void overview.load();
  return done;
});

export function removeAgent(id: string): void {
  removed.add(id);
  agents.delete(id);
  redraw();
}

/// A message passed: counts it without asking the platform.
export function countMessage(to: string, from: string): void {
  const agent = agents.get(to);
  if (agent && agent.traffic.length > 0) agent.traffic[agent.traffic.length - 1] += 1;
  if (!from || from === to) return;
  const key = `${from} ${to}`;
  const pair = pairs.get(key) ?? { from, to, count: 0, last: 0 };
  pair.count += 1;
  pair.last = now();
  pairs.set(key, pair);
}

export type Tone = "good" | "wait" | "bad" | "off" | "busy";

/// A status as a word that says what it means, and its colour.
export function statusOf(agent: Agent): { word: string; tone: Tone } {
  switch (agent.status) {
    case "online":
      return { word: "online", tone: "good" };
    case "degraded":
      return { word: "degraded", tone: "wait" };
    case "awaiting_agent":
      return agent.heartbeat
        ? { word: `away since ${clock(agent.heartbeat)}`, tone: "off" }
        : { word: "waiting for its agent", tone: "wait" };
    case "offline":
      return { word: agent.heartbeat ? `away since ${clock(agent.heartbeat)}` : "offline", tone: "off" };
    case "provisioning":
      return { word: "starting", tone: "busy" };
    case "failed":
      return { word: "failed", tone: "bad" };
    default:
      return { word: name(agent.status).replace(/_/g, " ") || "unknown", tone: "off" };
  }
}

export const isOnline = (agent: Agent) => agent.status === "online" || agent.status === "degraded";
export const neverConnected = (agent: Agent) => agent.status === "awaiting_agent" && !agent.heartbeat;

/// The hour of a time of today, else also the day.
export function clock(at: number): string {
  const date = new Date(at);
  const hour = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  if (date.toDateString() === new Date().toDateString()) return hour;
  return `${date.toLocaleDateString([], { day: "numeric", month: "short" })} ${hour}`;
}

export function nameOf(id: string): string {
  return id ? (agents.get(id)?.name ?? `removed agent ${id.slice(0, 8)}`) : "you";
}
