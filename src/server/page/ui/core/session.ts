// Whether this browser is logged in, and how it gets there.

import { ApiError, call, explain, get, newLogin, post } from "./api";
import { name, record, text } from "./decode";
import { redraw } from "./redraw";
import { toast } from "./toast";

export const session = {
  state: "unknown" as "unknown" | "in" | "out" | "unreachable",
  version: "",
  /// What the login form says.
  tokenFile: "",
  tokenVariable: "",
  linkCommand: "",
  error: "",
  ended: false,
};

const endings: (() => void)[] = [];
/// `function_` runs when this browser is no longer logged in.
export function whenSessionEnds(function_: () => void): void {
  endings.push(function_);
}

function end(byPerson: boolean): void {
  session.state = "out";
  session.ended = !byPerson;
  for (const ending of endings) ending();
  void loadInfo().then(redraw);
  redraw();
}

async function loadInfo(): Promise<void> {
  const info = record(await get("login/info").catch(() => null));
  session.tokenFile = name(info.token_file);
  session.tokenVariable = name(info.token_variable);
  session.linkCommand = text(info.link_command);
  session.version = text(info.version) || session.version;
}

export async function check(): Promise<boolean> {
  try {
    const body = record(await call("GET", "session", { plain: true }));
    session.version = text(body.version);
    session.state = "in";
  } catch (error) {
    const refused = error instanceof ApiError && error.status === 401;
    session.state = refused ? "out" : "unreachable";
    if (refused) await loadInfo();
  }
  if (location.hash === "#login-expired") {
    history.replaceState(null, "", location.pathname);
    if (session.state === "out") session.error = "That login link is used up or expired. Make another one, or use the token.";
  }
  redraw();
  return session.state === "in";
}

/// True if the platform accepted `secret`: the admin token, or the code of a login link.
export async function login(secret: string): Promise<boolean> {
  const code = /[?&]code=([^&\s]+)/.exec(secret)?.[1];
  try {
    await call("POST", "login", { body: code ? { code } : { token: secret }, plain: true });
    newLogin();
    session.state = "in";
    session.error = "";
    session.ended = false;
  } catch (error) {
    const status = error instanceof ApiError ? error.status : 0;
    session.error =
      status === 401
        ? code
          ? "That login link is used up or expired. Make another one, or use the token."
          : "That is not the admin token. Copy it again from where it lies, without anything around it."
        : status === 429
          ? "Too many wrong tokens from here. Wait a minute, then try again."
          : explain(error, "log in");
  }
  redraw();
  return session.state === "in";
}

export function loggedOut(): void {
  if (session.state === "in") end(false);
}

/// Asks whether the session still stands, if something looks as if it did not.
export async function verify(): Promise<void> {
  await get("session").catch(() => null);
}

export async function logout(): Promise<void> {
  try {
    await post("logout");
    end(true);
  } catch (error) {
    // The session would go on while the person believes it ended.
    toast(explain(error, "log out"), true);
  }
}
