// The keyboard. Ctrl-K always; single letters only outside of fields, and only if they are wanted.

import { agents } from "./agents";
import { agentHref, go, route } from "./route";
import { settings } from "./settings";
import { ui } from "./ui";

const places: Record<string, string> = {
  a: "#/agents", m: "#/map", i: "#/inbox", t: "#/talk", l: "#/activity", s: "#/settings",
};
const sequenceTime = 1200;
let leader = 0;

function inField(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return !!element?.closest?.("input,textarea,select,[contenteditable]");
}

/// As they are on the screen.
function neighbour(step: number): void {
  const links = [...document.querySelectorAll<HTMLAnchorElement>(".agent-link")];
  if (links.length === 0) return;
  const focused = links.findIndex((link) => link === document.activeElement || link.getAttribute("aria-current") === "page");
  const next = links[(focused + step + links.length) % links.length];
  const id = /agent\/([^/]+)/.exec(next.hash)?.[1] ?? "";
  if (route.place === "agent" && agents.has(id)) go(agentHref(id, route.tab));
  next.focus();
}

function letter(key: string): boolean {
  if (Date.now() - leader < sequenceTime && places[key]) {
    leader = 0;
    go(places[key]);
    return true;
  }
  leader = key === "g" ? Date.now() : 0;
  switch (key) {
    case "g":
      return true;
    case "?":
      ui.open("keys");
      return true;
    case "n":
      ui.open("create");
      return true;
    case "/": {
      const field = document.getElementById("agent-filter");
      if (!field) go("#/agents");
      setTimeout(() => document.getElementById("agent-filter")?.focus(), field ? 0 : 60);
      return true;
    }
    case "j":
      neighbour(1);
      return true;
    case "k":
      neighbour(-1);
      return true;
    default:
      return false;
  }
}

export function press(event: KeyboardEvent): void {
  if (event.isComposing || event.keyCode === 229) return;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    if (ui.dialog === "search") ui.close();
    else if (!document.querySelector("dialog[open]")) ui.open("search");
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || !settings.letters) return;
  if (inField(event.target) || document.querySelector("dialog[open]")) return;
  if (letter(event.key)) event.preventDefault();
}
