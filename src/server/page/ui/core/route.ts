// Where the person is: `#/agent/ID/chat`. The address never holds a secret.

import { redraw } from "./redraw";

export const agentTabs = ["chat", "talk", "details", "connect", "tokens", "activity"] as const;
export type AgentTab = (typeof agentTabs)[number];
export type Place = "agents" | "map" | "inbox" | "talk" | "activity" | "settings" | "agent";

export interface Route {
  place: Place;
  id: string;
  tab: AgentTab;
}

function parse(): Route {
  const [place = "", id = "", tab = ""] = location.hash.replace(/^#\/?/, "").split("/");
  const known = ["agents", "map", "inbox", "talk", "activity", "settings", "agent"].includes(place);
  const valid = place === "agent" ? /^[0-9a-f-]{36}$/i.test(id) : known;
  return {
    place: valid ? (place as Place) : "agents",
    id: place === "agent" && valid ? id.toLowerCase() : "",
    tab: (agentTabs as readonly string[]).includes(tab) ? (tab as AgentTab) : "chat",
  };
}

export let route = parse();

window.addEventListener("hashchange", () => {
  route = parse();
  redraw();
});

export const agentHref = (id: string, tab: AgentTab = "chat") => `#/agent/${id}/${tab}`;

export function go(hash: string): void {
  location.hash = hash;
}
