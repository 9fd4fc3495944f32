// The chat of the person with one agent: history, and what is being sent.

import { ApiError, explain, get, post, response } from "./api";
import { now } from "./clock";
import { count, list, name, record, text, time, type Data } from "./decode";
import { redraw } from "./redraw";
import { Resource } from "./resource";

export interface FileRef {
  uri: string;
  name: string;
  type: string;
  size: number;
}

export interface Bubble {
  key: string;
  messageId: string;
  role: "user" | "agent" | "system";
  text: string;
  files: FileRef[];
  at: number;
  /// The row's place in the agent's inbox; 0 while it is not known.
  seq: number;
  replyTo: string;
  state: "sending" | "failed" | "sent";
  error: string;
  /// What a failed send has still to upload.
  uploads: File[];
}

const pageSize = 50;
const soughtPage = 500;
const soughtAtMost = 20_000;

/// As crypto.randomUUID, which browsers have on https and localhost only.
export function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

export function readFiles(value: unknown): FileRef[] {
  return list(value).slice(0, 100).map((item) => {
    const file = record(item);
    return {
      uri: text(file.uri),
      name: name(file.name) || "file",
      type: name(file.mimeType ?? file.mime_type),
      size: count(file.size),
    };
  });
}

function readBubble(item: unknown): Bubble {
  const row = record(item);
  const role = text(row.role);
  return {
    key: text(row.id),
    messageId: text(row.message_id),
    role: role === "user" || role === "agent" ? role : "system",
    text: text(row.content),
    files: readFiles(row.attachments),
    at: time(row.timestamp),
    seq: count(row.seq),
    replyTo: text(row.in_reply_to),
    state: "sent",
    error: "",
    uploads: [],
  };
}

export class Conversation {
  readonly bubbles: Bubble[] = [];
  reachedEnd = false;
  loadingOlder = false;
  fetchedSeq = 0;
  handledSeq = 0;
  /// The key of a message that the person wants to see: the chat goes there.
  sought = "";
  readonly latest: Resource<true>;

  constructor(readonly agent: string) {
    this.latest = new Resource("the messages", () => this.loadLatest());
  }

  private path(rest: string): string {
    return `workspaces/${this.agent}/${rest}`;
  }

  private async loadLatest(): Promise<true> {
    const marks = get(this.path("chat-marks")).then(record, () => ({}) as Data);
    const body = record(await get(this.path(`chat-history?limit=${pageSize}`)));
    const rows = list(body.messages).map(readBubble);
    const first = rows[0];
    const known = this.bubbles.filter((bubble) => bubble.state === "sent");
    // More was missed than a page holds: what is shown would have a gap.
    if (first && known.length > 0 && known.every((bubble) => bubble.at < first.at)) {
      for (const bubble of known) this.bubbles.splice(this.bubbles.indexOf(bubble), 1);
      this.reachedEnd = false;
    }
    if (known.length === 0) this.reachedEnd = body.reached_end === true;
    this.merge(rows);
    const read = await marks;
    this.mark(count(read.fetched_seq), count(read.handled_seq));
    return true;
  }

  async loadOlder(size = pageSize): Promise<void> {
    const first = this.bubbles.find((bubble) => bubble.state === "sent");
    if (this.reachedEnd || this.loadingOlder || !first) return;
    this.loadingOlder = true;
    redraw();
    try {
      const before = encodeURIComponent(new Date(first.at + 1).toISOString());
      const body = record(await get(this.path(`chat-history?limit=${size}&before_ts=${before}`)));
      const had = this.bubbles.length;
      this.merge(list(body.messages).map(readBubble));
      // The page overlaps by the rows of one millisecond; one that brings nothing is the last.
      this.reachedEnd = body.reached_end === true || this.bubbles.length === had;
    } catch (error) {
      this.latest.error = explain(error, "load older messages");
    }
    this.loadingOlder = false;
    redraw();
  }

  /// Loads back to the message of that time. False if the chat has none: it is between agents.
  async seek(at: number): Promise<boolean> {
    if (!this.latest.data) await this.latest.load();
    let had = -1;
    while (!this.reachedEnd && this.bubbles.length > had && this.bubbles.length < soughtAtMost && this.bubbles[0]?.at > at) {
      had = this.bubbles.length;
      await this.loadOlder(soughtPage);
    }
    const found = this.bubbles.find((bubble) => bubble.state === "sent" && bubble.at === at);
    this.sought = found?.key ?? "";
    redraw();
    return !!found;
  }

  /// Each message once, whichever way it came: from the history, the event stream, or from here.
  merge(rows: Bubble[]): void {
    for (const row of rows) {
      const had = this.bubbles.findIndex((bubble) =>
        bubble.key === row.key ||
        (row.messageId !== "" && bubble.messageId === row.messageId && bubble.role === row.role));
      if (had < 0) {
        this.bubbles.push(row);
        continue;
      }
      const bubble = this.bubbles[had];
      // An event knows less than the history.
      if (!row.seq && bubble.state === "sent") continue;
      this.bubbles[had] = { ...row, files: row.files.length ? row.files : bubble.files, replyTo: row.replyTo || bubble.replyTo };
    }
    const rank = (bubble: Bubble) => (bubble.state === "sent" ? 0 : 1);
    this.bubbles.sort((a, b) => rank(a) - rank(b) || a.at - b.at || a.seq - b.seq);
    redraw();
  }

  mark(fetched: number, handled: number): void {
    this.fetchedSeq = Math.max(this.fetchedSeq, fetched, handled);
    this.handledSeq = Math.max(this.handledSeq, handled);
    redraw();
  }

  /// What became of a sent message, as a word.
  progress(bubble: Bubble): string {
    if (bubble.state !== "sent") return bubble.state;
    if (bubble.seq && bubble.seq <= this.handledSeq) return "handled";
    if (bubble.seq && bubble.seq <= this.fetchedSeq) return "fetched";
    return "sent";
  }

  async send(words: string, uploads: File[]): Promise<void> {
    const messageId = uuid();
    const bubble: Bubble = {
      key: `local ${messageId}`, messageId, role: "user", text: words, at: now(), seq: 0,
      files: uploads.map((file) => ({ uri: "", name: file.name, type: file.type, size: file.size })),
      replyTo: "", state: "sending", error: "", uploads,
    };
    this.bubbles.push(bubble);
    redraw();
    await this.deliver(bubble);
  }

  /// With the same messageId: the platform keeps one of them if both arrive.
  async retry(bubble: Bubble): Promise<void> {
    bubble.state = "sending";
    bubble.error = "";
    redraw();
    await this.deliver(bubble);
  }

  discard(bubble: Bubble): void {
    const at = this.bubbles.indexOf(bubble);
    if (at >= 0) this.bubbles.splice(at, 1);
    redraw();
  }

  private async deliver(bubble: Bubble): Promise<void> {
    try {
      if (bubble.uploads.length > 0) {
        const form = new FormData();
        for (const file of bubble.uploads) form.append("files", file, file.name);
        const reply = await response("POST", this.path("chat/uploads"), { form });
        bubble.files = readFiles(record(await reply.json()).files);
        bubble.uploads = [];
      }
      const parts: Data[] = bubble.text ? [{ kind: "text", text: bubble.text }] : [];
      for (const file of bubble.files) {
        parts.push({ kind: "file", file: { uri: file.uri, name: file.name, mimeType: file.type, size: file.size } });
      }
      const message = { role: "user", messageId: bubble.messageId, parts };
      await post(this.path("a2a"), { method: "message/send", params: { message } });
      bubble.state = "sent";
      redraw();
      // The row's place tells when the agent fetches it.
      await this.latest.load();
    } catch (error) {
      bubble.state = "failed";
      bubble.error = explain(error, "send this message");
      if (error instanceof ApiError && error.status === 413) bubble.error += " Send fewer or smaller files.";
      redraw();
    }
  }
}

const conversations = new Map<string, Conversation>();

export function conversation(agent: string): Conversation {
  let found = conversations.get(agent);
  if (!found) conversations.set(agent, (found = new Conversation(agent)));
  return found;
}
