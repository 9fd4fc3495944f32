// Something that a view shows and the platform has: loaded when a view opens it, and again whenever
// what was missed meanwhile is unknown (reconnect, wake).

import { ApiError, explain } from "./api";
import { redraw } from "./redraw";

const open = new Map<Resource<unknown>, number>();

export class Resource<T> {
  data: T | null = null;
  error = "";
  /// The platform has no such thing: a view hides the part.
  missing = false;
  loading = false;
  private again = false;

  /// `what` completes "Could not load …"; `topic` is the part of the platform that it shows.
  constructor(private readonly what: string, private readonly fetcher: () => Promise<T>, readonly topic = "") {}

  async load(): Promise<void> {
    if (this.loading) {
      this.again = true;
      return;
    }
    this.loading = true;
    redraw();
    try {
      this.data = await this.fetcher();
      this.error = "";
      this.missing = false;
    } catch (error) {
      this.missing = error instanceof ApiError && error.status === 404;
      this.error = explain(error, `load ${this.what}`);
    }
    this.loading = false;
    redraw();
    if (this.again) {
      this.again = false;
      await this.load();
    }
  }

  /// A view shows it from now on.
  open(): void {
    const self = this as Resource<unknown>;
    open.set(self, (open.get(self) ?? 0) + 1);
    void this.load();
  }

  close(): void {
    const self = this as Resource<unknown>;
    const left = (open.get(self) ?? 1) - 1;
    if (left > 0) open.set(self, left);
    else open.delete(self);
  }

  get isOpen(): boolean {
    return open.has(this as Resource<unknown>);
  }
}

/// Loads what is shown of a part of the platform: `tokens ID`, `memories`.
export function reloadTopic(topic: string): void {
  for (const resource of open.keys()) if (resource.topic === topic) void resource.load();
}

export function reloadOpen(): void {
  for (const resource of open.keys()) void resource.load();
}
