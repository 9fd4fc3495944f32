import { h, render } from "preact";
import { App, placeTitle, waiting } from "./app";
import { agentList } from "./core/agents";
import { whenLoggedOut } from "./core/api";
import { apply, overviewSoon } from "./core/events";
import { press } from "./core/keys";
import { listen, start, stop } from "./core/live";
import { drawWith, redraw } from "./core/redraw";
import { pending } from "./core/requests";
import { reloadOpen } from "./core/resource";
import { check, loggedOut, session } from "./core/session";
import { applyTheme } from "./core/settings";
import { showTitle } from "./core/title";
import { Login } from "./views/login";

let root: Element | undefined;

function view() {
  if (session.state === "in") return <App />;
  if (session.state === "unknown") return <div class="app" />;
  return <Login onLogin={enter} />;
}

function draw(): void {
  root = render(view(), document.body, root);
  showTitle(session.state === "in" ? placeTitle() : "Log in", session.state === "in" ? waiting() : 0);
}

let entered = false;

function enter(): void {
  start();
  if (entered) {
    reloadOpen();
  } else {
    // Every view needs these.
    agentList.open();
    pending.open();
    entered = true;
  }
}

// Lines of the last hour leave the map, and the minutes of the sparklines move on.
const overviewInterval = 60_000;

drawWith(draw);
applyTheme();
whenLoggedOut(() => {
  stop();
  loggedOut();
});
listen(apply, reloadOpen);
document.addEventListener("keydown", press);
setInterval(() => {
  if (session.state === "in" && !document.hidden) overviewSoon();
}, overviewInterval);
redraw();
void check().then((done) => done && enter());
