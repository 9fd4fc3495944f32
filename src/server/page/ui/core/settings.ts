// What this browser keeps: preferences and drafts, never a secret.

import { record, text } from "./decode";
import { redraw } from "./redraw";

export type Theme = "system" | "light" | "dark";

interface Settings {
  theme: Theme;
  letters: boolean;
  notifications: boolean;
}

const key = "molecule.settings";

function read(name: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "null");
  } catch {
    return null;
  }
}

/// A browser may refuse to keep anything; the page works all the same.
function write(name: string, value: unknown): void {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    return;
  }
}

function load(): Settings {
  const kept = record(read(key));
  const theme = text(kept.theme);
  return {
    theme: theme === "light" || theme === "dark" ? theme : "system",
    letters: kept.letters !== false,
    notifications: kept.notifications === true,
  };
}

export const settings = load();

/// What another tab changes holds here too.
window.addEventListener("storage", (event) => {
  if (event.key !== key) return;
  Object.assign(settings, load());
  applyTheme();
  redraw();
});

export function applyTheme(): void {
  if (settings.theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = settings.theme;
}

export function change(values: Partial<Settings>): void {
  Object.assign(settings, values);
  write(key, settings);
  applyTheme();
  redraw();
}

const draftKey = (place: string) => `molecule.draft.${place}`;

export function draft(place: string): string {
  return text(read(draftKey(place)));
}

export function keepDraft(place: string, words: string): void {
  if (words) write(draftKey(place), words);
  else {
    try {
      localStorage.removeItem(draftKey(place));
    } catch {
      return;
    }
  }
}
