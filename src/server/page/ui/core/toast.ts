// Short notes at the edge of the page: what was done, and what failed.

import { redraw } from "./redraw";

export interface Toast {
  id: number;
  text: string;
  bad: boolean;
}

export const toasts: Toast[] = [];
let next = 1;

export function dismiss(id: number): void {
  const at = toasts.findIndex((toast) => toast.id === id);
  if (at >= 0) toasts.splice(at, 1);
  redraw();
}

/// An error stays until it is read or dismissed; the rest goes by itself.
export function toast(text: string, bad = false): void {
  if (toasts.some((shown) => shown.text === text)) return;
  const id = next++;
  toasts.push({ id, text, bad });
  if (toasts.length > 4) toasts.shift();
  setTimeout(() => dismiss(id), bad ? 12_000 : 4_000);
  redraw();
}
