import { h } from "preact";
import { agents } from "./core/agents";
import { live } from "./core/live";
import { waiting } from "./core/requests";
import { route, type Place } from "./core/route";
import { dismiss, toasts } from "./core/toast";
import { ui } from "./core/ui";
import { Icon, type IconName } from "./parts/icons";
import { Activity } from "./views/activity/activity";
import { AgentPage } from "./views/agent/agent";
import { Agents } from "./views/agents/agents";
import { CreateDialog } from "./views/agents/create";
import { Inbox } from "./views/inbox/inbox";
import { AgentMap } from "./views/map/map";
import { Search } from "./views/search/search";
import { Keys } from "./views/settings/keys";
import { Settings } from "./views/settings/settings";
import { AgentTalk } from "./views/talk/talk";

const places: { place: Place; title: string; icon: IconName }[] = [
  { place: "agents", title: "Agents", icon: "agents" },
  { place: "inbox", title: "Inbox", icon: "inbox" },
  { place: "talk", title: "Talk", icon: "talk" },
  { place: "map", title: "Map", icon: "map" },
  { place: "activity", title: "Activity", icon: "activity" },
  { place: "settings", title: "Settings", icon: "settings" },
];

export function placeTitle(): string {
  if (route.place === "agent") return agents.get(route.id)?.name ?? "Agent";
  return places.find((one) => one.place === route.place)?.title ?? "Agents";
}

function LiveMark() {
  const words = { live: "Live", connecting: "Connecting", reconnecting: "Reconnecting", offline: "Offline" }[live.state];
  return (
    <p class={`live ${live.state}`} role="status">
      <span class="dot" aria-hidden="true" />
      {words}
    </p>
  );
}

function Rail() {
  const current = route.place === "agent" ? "agents" : route.place;
  return (
    <nav class="rail" aria-label="Main">
      <button type="button" class="plain rail-item" aria-label="Search (Ctrl K)" onClick={() => ui.open("search")}>
        <Icon name="search" />
        <span>Search</span>
      </button>
      {places.map(({ place, title, icon }) => (
        <a class="rail-item" href={`#/${place}`} aria-current={place === current ? "page" : null}>
          <Icon name={icon} />
          <span>{title}</span>
          {place === "inbox" && waiting() > 0 && (
            <span class="badge"><span class="hidden">waiting: </span>{waiting()}</span>
          )}
        </a>
      ))}
      <LiveMark />
    </nav>
  );
}

function main() {
  switch (route.place) {
    case "agent":
      return <AgentPage />;
    case "map":
      return <AgentMap />;
    case "inbox":
      return <Inbox />;
    case "talk":
      return <AgentTalk agent="" />;
    case "activity":
      return <Activity agent="" />;
    case "settings":
      return <Settings />;
    default:
      return <Agents compact={false} />;
  }
}

function Toasts() {
  return (
    <div class="toasts">
      {toasts.map((toast) => (
        <p key={toast.id} class={toast.bad ? "toast bad" : "toast"} role={toast.bad ? "alert" : "status"}>
          <span>{toast.text}</span>
          <button type="button" class="plain square" aria-label="Dismiss" onClick={() => dismiss(toast.id)}><Icon name="close" /></button>
        </p>
      ))}
    </div>
  );
}

/// Focus moves, the address stays: a fragment is the place that is shown.
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

export function App() {
  const split = route.place === "agent";
  return (
    <div class={`app at-${route.place}`}>
      <a class="skip" href="#main" onClick={skip}>Skip to the content</a>
      <Rail />
      {split && <aside class="column" aria-label="All agents"><Agents compact /></aside>}
      <main id="main" tabIndex={-1}>{main()}</main>
      {ui.dialog === "create" && <CreateDialog />}
      {ui.dialog === "search" && <Search />}
      {ui.dialog === "keys" && <Keys />}
      <Toasts />
    </div>
  );
}
