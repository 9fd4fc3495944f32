// The platform's time. A browser whose clock is wrong would call an agent of this moment away for an
// hour, and put its own messages before those that they answer.

let ahead = 0;
let known = false;
let earlier: number[] = [];

// Less is the way here, or the whole seconds of an HTTP field.
const tolerance = 1_500;
// What was long on its way looks as if the browser's clock were ahead; but not every time.
const believedAfter = 5;

function believe(difference: number): void {
  ahead = Math.abs(difference) > tolerance ? difference : 0;
  known = true;
  earlier = [];
}

/// What time the platform says it is, just now.
export function heardTime(at: number): void {
  if (!at || document.hidden) return;
  const difference = at - Date.now();
  if (!known || difference > ahead + tolerance) believe(difference);
  else if (difference >= ahead - tolerance) earlier = [];
  else if (earlier.push(difference) >= believedAfter) believe(Math.max(...earlier));
}

/// Now, as the platform counts it.
export const now = (): number => Date.now() + ahead;
