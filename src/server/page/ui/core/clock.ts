// The platform's time. A browser whose clock is wrong would call an agent of this moment away for an
// hour, and put its own messages before those that they answer.

let ahead = 0;

// Less is the way here, or the whole seconds of an HTTP field.
const tolerance = 1_500;

/// What time the platform says it is, just now.
export function heardTime(at: number): void {
  if (!at || document.hidden) return;
  const difference = at - Date.now();
  if (Math.abs(difference - ahead) > tolerance) ahead = Math.abs(difference) > tolerance ? difference : 0;
}

/// Now, as the platform counts it.
export const now = (): number => Date.now() + ahead;
