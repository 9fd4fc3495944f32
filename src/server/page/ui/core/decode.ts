// Everything that arrives is somebody's data: it is given its type here, before anything shows it.
// A view that rendered an object of theirs would let them choose elements of the page.

export type Data = Record<string, unknown>;

export function record(value: unknown): Data {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Data) : {};
}

export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function text(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}

export function count(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

/// Milliseconds since 1970; 0 for what is no time.
export function time(value: unknown): number {
  return typeof value === "string" ? Date.parse(value) || 0 : 0;
}

/// A name on one line, without the characters that hide, join or turn what stands beside it.
export function name(value: unknown): string {
  return text(value)
    .replace(/[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}

/// JSON for people: indented, and cut so that no row makes the page slow.
export function readable(value: unknown, limit = 20_000): string {
  const shown = JSON.stringify(value, null, 2) ?? "";
  return shown.length > limit ? `${shown.slice(0, limit)}\n… ${shown.length - limit} more characters` : shown;
}
