import { h, render } from "preact";
import { App, placeTitle } from "./app";
import { agentList } from "./core/agents";
import { whenLoggedOut, whenUnanswered } from "./core/api";
import { apply } from "./core/events";
import { press } from "./core/keys";
import { listen, start, stop, suspect } from "./core/live";
import { drawWith, redraw } from "./core/redraw";
import { pending, waiting } from "./core/requests";
import { reloadOpen } from "./core/resource";
import { check, loggedOut, session, verify, whenSessionEnds } from "./core/session";
import { applyTheme } from "./core/settings";
import { showTitle } from "./title";
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

// Lines of the last hour leave the map, the minutes of the sparklines move on, and what no event
// tells, such as the last use of a token, is looked up.
const reloadInterval = 60_000;
const unreachableInterval = 3_000;

drawWith(draw);
applyTheme();
whenLoggedOut(loggedOut);
whenUnanswered(suspect);
whenSessionEnds(stop);
listen(apply, reloadOpen, () => void verify());
document.addEventListener("keydown", press);
setInterval(() => {
  if (session.state === "in" && !document.hidden) reloadOpen();
}, reloadInterval);
setInterval(() => {
  if (session.state === "unreachable") void check().then((done) => done && enter());
}, unreachableInterval);
redraw();
void check().then((done) => done && enter());
