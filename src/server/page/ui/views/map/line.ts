// The line from one agent to another: between the edges of their boxes, beside the line back.

import { box, gap, type Spot } from "./layout";

type Point = readonly [number, number];

const middle = ([x1, y1]: Point, [x2, y2]: Point): Point => [(x1 + x2) / 2, (y1 + y2) / 2];
const words = (...points: Point[]) => points.map((point) => point.map((value) => value.toFixed(1)).join(" ")).join(" ");

/// In two halves, because a mark stands only where two parts of a path meet.
function halves(start: Point, first: Point, second: Point, end: Point): string {
  const [a, b, c] = [middle(start, first), middle(first, second), middle(second, end)];
  const [d, e] = [middle(a, b), middle(b, c)];
  return `M${words(start)}C${words(a, d, middle(d, e))}C${words(e, c, end)}`;
}

/// Where a line leaves or meets a box; each direction has its own side.
const aside = 14;

export function line(from: Spot, to: Spot): string {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const [centre, other] = [from.x + box.width / 2, to.x + box.width / 2];
  if (Math.abs(dy) > box.height) {
    const down = dy > 0;
    const side = down ? -aside : aside;
    const start: Point = [centre + side, down ? from.y + box.height : from.y];
    const end: Point = [other + side, down ? to.y : to.y + box.height];
    const half = (start[1] + end[1]) / 2 + side / 2;
    return halves(start, [start[0], half], [end[0], half], end);
  }
  const right = dx > 0;
  if (Math.abs(dx) <= box.width + 2 * gap.x) {
    const height = from.y + box.height / 2 + (right ? -aside / 2 : aside / 2);
    const [start, end]: Point[] = [[right ? from.x + box.width : from.x, height], [right ? to.x : to.x + box.width, height]];
    return halves(start, start, end, end);
  }
  // Around those that stand between: one way above, one below.
  const edge = right ? from.y + box.height : from.y;
  const bend = (right ? 1 : -1) * Math.min(gap.y * 0.9, 18 + Math.abs(dx) * 0.04);
  const side = right ? aside : -aside;
  return halves([centre + side, edge], [centre + side, edge + bend], [other - side, edge + bend], [other - side, edge]);
}
