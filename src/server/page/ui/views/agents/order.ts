// Which agents are shown, in which order.

import { isOnline, neverConnected, type Agent } from "../../core/agents";

export type Sort = "name" | "status" | "recent" | "busy";
export type Filter = "all" | "online" | "away" | "waiting";

export const filter = { words: "", sort: "name" as Sort, only: "all" as Filter };

export interface Row {
  agent: Agent;
  depth: number;
}

export function kindOf(agent: Agent): Exclude<Filter, "all"> {
  return isOnline(agent) ? "online" : neverConnected(agent) ? "waiting" : "away";
}

const traffic = (agent: Agent) => agent.traffic.reduce((sum, value) => sum + value, 0);

const collator = new Intl.Collator(undefined, { numeric: true });

const comparisons: Record<Sort, (a: Agent, b: Agent) => number> = {
  name: (a, b) => collator.compare(a.name, b.name),
  status: (a, b) => rank(a) - rank(b),
  recent: (a, b) => b.heartbeat - a.heartbeat,
  busy: (a, b) => b.activeTasks - a.activeTasks || traffic(b) - traffic(a),
};

function rank(agent: Agent): number {
  if (agent.status === "failed" || agent.status === "degraded") return 0;
  return { online: 1, waiting: 2, away: 3 }[kindOf(agent)];
}

function matches(agent: Agent, words: string): boolean {
  const text = `${agent.name} ${agent.role} ${agent.skills.join(" ")} ${agent.task}`.toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/// Children follow their parent; one whose parent is not shown stands alone.
export function rows(agents: Iterable<Agent>, words = filter.words): Row[] {
  const shown = [...agents]
    .filter((agent) => filter.only === "all" || kindOf(agent) === filter.only)
    .filter((agent) => matches(agent, words.trim()));
  const byName = comparisons.name;
  const compare = comparisons[filter.sort];
  shown.sort((a, b) => compare(a, b) || byName(a, b) || (a.id < b.id ? -1 : 1));
  const ids = new Set(shown.map((agent) => agent.id));
  const children = new Map<string, Agent[]>();
  for (const agent of shown) {
    const parent = agent.parent !== agent.id && ids.has(agent.parent) ? agent.parent : "";
    children.set(parent, [...(children.get(parent) ?? []), agent]);
  }
  const out: Row[] = [];
  const seen = new Set<string>();
  const place = (agent: Agent, depth: number): void => {
    // A circle of parents must not end the page.
    if (seen.has(agent.id)) return;
    seen.add(agent.id);
    out.push({ agent, depth });
    for (const child of children.get(agent.id) ?? []) place(child, Math.min(depth + 1, 4));
  };
  for (const agent of children.get("") ?? []) place(agent, 0);
  for (const agent of shown) place(agent, 0);
  return out;
}
