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
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u034f\u115f\u1160\u3164\uffa0\u{e0000}-\u{e0fff}]/gu, " ")
    .replace(/\s+/g, " ")
    .trim();
}

/// A text that somebody decides on: what would turn it, or is there without being seen, is spelled
/// out. The joiners and marks that scripts and emoji need stay.
export function exposed(value: unknown): string {
  return text(value).replace(
    /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu,
    (letter) => `[U+${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}]`,
  );
}

/// JSON for people: indented, and cut so that no row makes the page slow.
export function readable(value: unknown, limit = 20_000): string {
  const shown = JSON.stringify(value, null, 2) ?? "";
  return shown.length > limit ? `${shown.slice(0, limit)}\n… ${shown.length - limit} more characters` : shown;
}

/// A time span for people.
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}
