import { h } from "preact";
import { call, explain, get } from "../../core/api";
import { count, list, name, record, text, time } from "../../core/decode";
import { size } from "../../core/files";
import { live } from "../../core/live";
import { allowNotifications } from "../../core/notify";
import { Resource } from "../../core/resource";
import { logout, session } from "../../core/session";
import { change, settings, type Theme } from "../../core/settings";
import { toast } from "../../core/toast";
import { ui } from "../../core/ui";
import { Confirm } from "../../parts/dialog";
import { Ago } from "../../parts/marks";
import { Failed } from "../../parts/states";
import { View } from "../../parts/view";

interface Session {
  id: string;
  browser: string;
  created: number;
  used: number;
  current: boolean;
}

/// A browser and a system out of what it says of itself.
function browserOf(agent: string): string {
  // Most browsers also name the one that they resemble, so the rarer names come first.
  const kinds = { Edg: "Edge", OPR: "Opera", Firefox: "Firefox", Chrome: "Chrome", Safari: "Safari" };
  const system = /(Windows|Mac OS X|Android|iPhone|iPad|Linux)/.exec(agent);
  let known = agent.slice(0, 40) || "unknown browser";
  for (const [word, kind] of Object.entries(kinds)) {
    const found = new RegExp(`${word}\\w*/(\\d+)`).exec(agent);
    if (!found) continue;
    known = `${kind} ${found[1]}`;
    break;
  }
  return system ? `${known} on ${system[1].replace("Mac OS X", "macOS")}` : known;
}

const sessions = new Resource("the sessions", async () =>
  list(record(await get("sessions")).sessions).map((item): Session => {
    const row = record(item);
    return {
      id: text(row.id), browser: browserOf(name(row.user_agent)), created: time(row.created_at),
      used: time(row.last_used_at), current: row.current === true,
    };
  }), "sessions ");

const about = new Resource("the platform's state", async () => {
  const row = record(await get("admin/about"));
  return {
    version: text(row.version), folder: name(row.data_dir), store: count(row.store_bytes),
    uploads: count(row.uploads_bytes), started: time(row.started_at), tokenFile: name(row.token_file),
  };
});

const health = new Resource("the platform's health", async () => text(record(await get("health")).status));

export class Settings extends View<Record<string, never>, { ending: Session | "others" | null }> {
  state = { ending: null as Session | "others" | null };

  resources() {
    return [sessions, about, health] as Resource<unknown>[];
  }
  private readonly end = async (): Promise<void> => {
    const { ending } = this.state;
    try {
      await call("DELETE", ending === "others" || !ending ? "sessions" : `sessions/${ending.id}`);
      toast("Logged out there");
    } catch (error) {
      toast(explain(error, "end the session"), true);
    }
    await sessions.load();
  };
  private readonly notifications = async (event: Event): Promise<void> => {
    const box = event.target as HTMLInputElement;
    const on = box.checked && (await allowNotifications());
    if (box.checked && !on) toast("The browser does not allow notifications of this page. Change it in the browser's settings for this site.", true);
    box.checked = on;
    change({ notifications: on });
  };
  private preferences() {
    const themes: [Theme, string][] = [["system", "As the system"], ["light", "Light"], ["dark", "Dark"]];
    return (
      <section class="card">
        <h2>This browser</h2>
        <fieldset class="choice">
          <legend>Theme</legend>
          {themes.map(([theme, words]) => (
            <label>
              <input type="radio" name="theme" value={theme} checked={settings.theme === theme} onChange={() => change({ theme })} /> {words}
            </label>
          ))}
        </fieldset>
        <label class="switch">
          <input type="checkbox" checked={settings.notifications} onChange={this.notifications} />
          <span>Notifications <i>of messages and requests, while this page is in the background</i></span>
        </label>
        <label class="switch">
          <input
            type="checkbox"
            checked={settings.letters}
            onChange={(event: Event) => change({ letters: (event.target as HTMLInputElement).checked })}
          />
          <span>Keyboard shortcuts of single letters</span>
        </label>
        <p class="actions"><button type="button" onClick={() => ui.open("keys")}>Show the keys</button></p>
      </section>
    );
  }
  private sessions() {
    const all = sessions.data ?? [];
    return (
      <section class="card">
        <header class="bar">
          <h2>Sessions</h2>
          {all.length > 1 && <button type="button" onClick={() => this.setState({ ending: "others" })}>Log out all others…</button>}
        </header>
        <Failed of={sessions} />
        <ul class="plain-list">
          {all.map((one) => (
            <li key={one.id}>
              <span>
                <bdi>{one.browser}</bdi> {one.current && <span class="chip approved">this browser</span>}
                <br />
                <span class="dim">logged in <Ago at={one.created} />, used <Ago at={one.used} /></span>
              </span>
              {one.current
                ? <button type="button" onClick={() => void logout()}>Log out</button>
                : <button type="button" aria-label={`Log out ${one.browser}`} onClick={() => this.setState({ ending: one })}>Log out…</button>}
            </li>
          ))}
        </ul>
      </section>
    );
  }
  private platform() {
    const data = about.data;
    const words = { live: "live", connecting: "connecting", reconnecting: "reconnecting", offline: "offline" }[live.state];
    return (
      <section class="card">
        <h2>Platform</h2>
        <Failed of={about} />
        <dl class="facts">
          <dt>Version</dt><dd>{data?.version || session.version || "unknown"}</dd>
          <dt>Health</dt><dd>{health.error ? health.error : health.data || "…"}</dd>
          <dt>Events</dt><dd>{words}</dd>
          {data && <dt>Started</dt>}{data && <dd>{data.started ? <Ago at={data.started} /> : "unknown"}</dd>}
          {data && <dt>Data folder</dt>}{data && <dd><code>{data.folder}</code></dd>}
          {data && <dt>Store</dt>}{data && <dd>{size(data.store)}, and {size(data.uploads)} of files</dd>}
          {data?.tokenFile && <dt>Admin token</dt>}{data?.tokenFile && <dd><code>{data.tokenFile}</code></dd>}
        </dl>
      </section>
    );
  }
  render() {
    const { ending } = this.state;
    return (
      <section class="page settings" aria-label="Settings">
        <header class="bar"><h1>Settings</h1></header>
        {this.preferences()}
        {this.sessions()}
        {this.platform()}
        {ending && (
          <Confirm title="Log out?" action="Log out" onConfirm={this.end} onClose={() => this.setState({ ending: null })}>
            <p>{ending === "others" ? "Every other browser has to log in again." : `${ending.browser} has to log in again.`}</p>
          </Confirm>
        )}
      </section>
    );
  }
}
