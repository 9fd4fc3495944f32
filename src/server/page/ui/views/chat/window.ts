// Which part of a long list is drawn. The rest is reached by scrolling: a chat of thousands of
// messages costs as much as one of a hundred.

export const windowSize = 120;
const step = 60;

export interface Span {
  /// Index of the first drawn item.
  from: number;
  /// True while the end of the list is drawn, whatever its length.
  atEnd: boolean;
}

export function visible(span: Span, length: number): { from: number; to: number } {
  if (span.atEnd) return { from: Math.max(0, length - windowSize), to: length };
  const from = Math.max(0, Math.min(span.from, length - 1));
  return { from, to: Math.min(length, from + windowSize) };
}

/// The span with that item in its middle.
export function around(at: number, length: number): Span {
  const from = Math.max(0, at - windowSize / 2);
  return from + windowSize >= length ? { from: 0, atEnd: true } : { from, atEnd: false };
}

/// The span after scrolling to its start.
export function earlier(span: Span, length: number): Span {
  const { from } = visible(span, length);
  return from === 0 ? span : { from: Math.max(0, from - step), atEnd: false };
}

/// The span after scrolling to its end.
export function later(span: Span, length: number): Span {
  if (span.atEnd) return span;
  const from = visible(span, length).from + step;
  return from + windowSize >= length ? { from: 0, atEnd: true } : { from, atEnd: false };
}
