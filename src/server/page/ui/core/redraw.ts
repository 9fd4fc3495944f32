// The page is drawn from the model, from the top, once for all changes of a moment.

let draw: () => void = () => undefined;
let waiting = false;

export function drawWith(function_: () => void): void {
  draw = function_;
}

/// Draws soon. A timer, because frames stop in a hidden tab, whose title still has to be right.
export function redraw(): void {
  if (waiting) return;
  waiting = true;
  setTimeout(() => {
    waiting = false;
    draw();
  }, 16);
}
