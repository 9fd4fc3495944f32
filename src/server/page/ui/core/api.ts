// Calls of the platform. The browser's cookie says who we are; no token is ever kept here.

import { heardTime } from "./clock";
import { record, text } from "./decode";

/// Where the page is served; behind a proxy that may be below a path.
export const base = new URL(".", document.baseURI);

export class ApiError extends Error {
  constructor(readonly status: number, message: string, readonly body: unknown = null) {
    super(message);
  }
}

let onLogout: () => void = () => undefined;
/// `function_` runs when the platform no longer accepts this browser.
export function whenLoggedOut(function_: () => void): void {
  onLogout = function_;
}

let logins = 0;
/// A new session begins: what was asked before it says nothing about it.
export function newLogin(): void {
  logins += 1;
}

let onSilence: () => void = () => undefined;
/// `function_` runs when a call got no answer at all.
export function whenUnanswered(function_: () => void): void {
  onSilence = function_;
}

const pause = (seconds: number) => new Promise((done) => setTimeout(done, seconds * 1000));

interface Options {
  body?: unknown;
  headers?: Record<string, string>;
  form?: FormData;
  /// Login itself: a 401 is its answer, not the end of a session.
  plain?: boolean;
}

async function send(method: string, path: string, options: Options): Promise<Response> {
  const headers: Record<string, string> = { ...options.headers };
  let body: BodyInit | undefined = options.form;
  if (options.body !== undefined) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(options.body);
  }
  try {
    const reply = await fetch(new URL(path, base), { method, headers, body, credentials: "same-origin" });
    heardTime(Date.parse(reply.headers.get("Date") ?? ""));
    return reply;
  } catch {
    onSilence();
    throw new ApiError(0, "the platform does not answer");
  }
}

export async function response(method: string, path: string, options: Options = {}): Promise<Response> {
  const login = logins;
  let reply = await send(method, path, options);
  if (reply.status === 429 && method === "GET") {
    await pause(Math.min(Number(reply.headers.get("Retry-After")) || 1, 20));
    reply = await send(method, path, options);
  }
  if (reply.ok) return reply;
  const body: unknown = await reply.json().catch(() => null);
  if (reply.status === 401 && !options.plain && login === logins) onLogout();
  throw new ApiError(reply.status, text(record(body).error), body);
}

export async function call(method: string, path: string, options: Options = {}): Promise<unknown> {
  const reply = await response(method, path, options);
  return reply.status === 204 ? null : reply.json().catch(() => null);
}

export const get = (path: string) => call("GET", path);
export const post = (path: string, body: unknown = {}) => call("POST", path, { body });

/// A sentence for people, with what to do next. `doing`: "load the agents".
export function explain(error: unknown, doing: string): string {
  const status = error instanceof ApiError ? error.status : -1;
  const start = `Could not ${doing}: `;
  switch (status) {
    case 0:
      return `${start}the platform does not answer. Check that molecule-platform is running, then try again.`;
    case 401:
      return `${start}this browser is no longer logged in. Log in again; drafts are kept.`;
    case 403:
      return `${start}the platform does not allow it here.`;
    case 404:
      return `${start}it no longer exists. It may have been removed in another window.`;
    case 409:
      return `${start}it conflicts with what is there. Reload and try again.`;
    case 410:
      return `${start}this agent was removed.`;
    case 413:
      return `${start}it is too large for the platform.`;
    case 429:
      return `${start}there were too many requests. Wait a minute and try again.`;
    case 400:
    case 422: {
      const why = (error as ApiError).message;
      return `${start}the platform refused it${why ? ` (${why.slice(0, 200)})` : ""}. Change it and try again.`;
    }
    default:
      return `${start}the platform has a problem of its own (${status}). Try again; its log says more.`;
  }
}
