// Where each agent stands: families as trees, packed into a picture of the screen's shape.

import { hierarchy, tree } from "d3-hierarchy";
import type { Agent } from "../../core/agents";

export interface Spot {
  agent: Agent;
  x: number;
  y: number;
  parent: Spot | null;
}

export const box = { width: 176, height: 52 };
export const gap = { x: 28, y: 48 };

interface Family {
  spots: Spot[];
  width: number;
  height: number;
}

function family(root: Agent, children: Map<string, Agent[]>): Family {
  const seen = new Set<string>();
  // A circle of parents must not end the page.
  const below = (agent: Agent): Agent[] => {
    seen.add(agent.id);
    return (children.get(agent.id) ?? []).filter((child) => !seen.has(child.id));
  };
  const nodes = tree()
    .nodeSize([box.width + gap.x, box.height + gap.y])
    .separation(() => 1)(hierarchy(root, below))
    .descendants();
  const left = Math.min(...nodes.map((node) => node.x));
  const spots = new Map(nodes.map((node) => [node, { agent: node.data, x: node.x - left, y: node.y, parent: null } as Spot]));
  for (const [node, spot] of spots) spot.parent = node.parent ? (spots.get(node.parent) ?? null) : null;
  return {
    spots: [...spots.values()],
    width: Math.max(...nodes.map((node) => node.x)) - left + box.width,
    height: Math.max(...nodes.map((node) => node.y)) + box.height,
  };
}

/// `aspect` is the width of the screen's part by its height.
export function layout(agents: Agent[], aspect: number): { spots: Spot[]; width: number; height: number } {
  const ids = new Set(agents.map((agent) => agent.id));
  const children = new Map<string, Agent[]>();
  const roots: Agent[] = [];
  for (const agent of agents) {
    if (ids.has(agent.parent) && agent.parent !== agent.id) children.set(agent.parent, [...(children.get(agent.parent) ?? []), agent]);
    else roots.push(agent);
  }
  const placed = new Set<string>();
  const families: Family[] = [];
  for (const root of [...roots, ...agents]) {
    if (placed.has(root.id)) continue;
    const made = family(root, children);
    for (const spot of made.spots) placed.add(spot.agent.id);
    families.push(made);
  }
  families.sort((a, b) => b.height - a.height || b.width - a.width);
  const area = families.reduce((sum, one) => sum + (one.width + gap.x) * (one.height + gap.y), 0);
  const rowWidth = Math.max(...families.map((one) => one.width), Math.sqrt(area * aspect), 1);
  let x = 0;
  let y = 0;
  let rowHeight = 0;
  let width = 0;
  const spots: Spot[] = [];
  for (const one of families) {
    if (x > 0 && x + one.width > rowWidth) {
      x = 0;
      y += rowHeight + gap.y;
      rowHeight = 0;
    }
    for (const spot of one.spots) {
      spot.x += x;
      spot.y += y;
      spots.push(spot);
    }
    x += one.width + gap.x;
    rowHeight = Math.max(rowHeight, one.height);
    width = Math.max(width, x - gap.x);
  }
  return { spots, width, height: y + rowHeight };
}
