// The event stream: connects again by itself, and tells whether it is live.

import { base } from "./api";
import { heardTime, now } from "./clock";
import { record, text, time, type Data } from "./decode";
import { redraw } from "./redraw";

export interface Frame {
  event: string;
  agent: string;
  at: number;
  payload: Data;
}

export type State = "connecting" | "live" | "reconnecting" | "offline";

const connectLimit = 10_000;
const silenceLimit = 30_000;
/// A connection that died without a word looks like this too.
const renewLimit = 120_000;
const longestPause = 30_000;
const lookInterval = 5_000;
const firstLook = 1_000;

export const live = { state: "connecting" as State, since: 0 };

let socket: WebSocket | null = null;
let tries = 0;
let wanted = false;
let heard = 0;
let looked = 0;
let everOpen = false;
let connectTimer = 0;
let retryTimer = 0;
let onFrame: (frame: Frame) => void = () => undefined;
let onGap: () => void = () => undefined;
let onLost: () => void = () => undefined;

/// `frame` gets each event; `gap` runs when some may have been missed; `lost` when the stream ended or
/// was refused, for which the browser does not say why.
export function listen(frame: (frame: Frame) => void, gap: () => void, lost: () => void): void {
  onFrame = frame;
  onGap = gap;
  onLost = lost;
}

function become(state: State): void {
  if (live.state === state) return;
  live.state = state;
  live.since = Date.now();
  redraw();
}

export function start(): void {
  wanted = true;
  if (!socket) connect();
}

export function stop(): void {
  wanted = false;
  clearTimeout(retryTimer);
  release();
}

/// Ends the connection without waiting for the other side, which may be out of reach.
function release(): void {
  clearTimeout(connectTimer);
  const old = socket;
  socket = null;
  if (!old) return;
  old.onopen = old.onmessage = old.onclose = null;
  old.close();
}

/// The platform does not answer: the stream may be as dead, without having noticed.
export function suspect(): void {
  if (!wanted || live.state !== "live") return;
  release();
  retry();
}

function address(): string {
  const url = new URL("ws", base);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

function connect(): void {
  clearTimeout(retryTimer);
  const mine = new WebSocket(address());
  socket = mine;
  connectTimer = window.setTimeout(() => mine.close(), connectLimit);
  mine.onopen = () => {
    clearTimeout(connectTimer);
    tries = 0;
    heard = Date.now();
    become("live");
    // What happened between the first answers and now would be missing otherwise; the list itself
    // is not to wait for it.
    setTimeout(() => wanted && onGap(), everOpen ? 0 : firstLook);
    everOpen = true;
  };
  mine.onmessage = (message) => {
    heard = Date.now();
    take(message.data);
  };
  mine.onclose = () => {
    clearTimeout(connectTimer);
    socket = null;
    if (!wanted) return;
    retry();
    onLost();
  };
}

function take(data: unknown): void {
  let body: Data;
  try {
    body = record(JSON.parse(text(data)));
  } catch {
    return;
  }
  const at = time(body.timestamp) || now();
  heardTime(at);
  onFrame({
    event: text(body.event),
    agent: text(body.workspace_id),
    at,
    payload: record(body.payload),
  });
}

function retry(): void {
  const pause = Math.min(1000 * 2 ** tries, longestPause);
  tries += 1;
  become(!navigator.onLine || tries > 4 ? "offline" : everOpen ? "reconnecting" : "connecting");
  clearTimeout(retryTimer);
  retryTimer = window.setTimeout(connect, pause);
}

function connectNow(): void {
  if (!wanted) return;
  tries = 0;
  if (!socket) connect();
}

/// Silence says nothing about the connection, so the views look for themselves.
function look(): void {
  if (!wanted || live.state !== "live" || document.hidden) return;
  const silence = Date.now() - heard;
  if (silence >= renewLimit) {
    release();
    connect();
  } else if (silence >= silenceLimit && Date.now() - looked >= silenceLimit) {
    looked = Date.now();
    onGap();
  }
}

setInterval(look, lookInterval);
window.addEventListener("online", connectNow);
window.addEventListener("offline", () => wanted && become("offline"));
document.addEventListener("visibilitychange", () => {
  if (document.hidden || !wanted) return;
  connectNow();
  if (live.state === "live") onGap();
});
