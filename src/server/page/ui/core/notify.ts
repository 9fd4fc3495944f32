// Notifications of the browser: only if the person switched them on, and only where the page is not
// in front of them.

import { go } from "./route";
import { settings } from "./settings";

export function notify(title: string, body: string, hash: string): void {
  if (!settings.notifications || !document.hidden) return;
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  let shown: Notification;
  try {
    shown = new Notification(title, { body, tag: hash });
  } catch {
    // Phones have the name, but allow it to service workers only.
    return;
  }
  shown.onclick = () => {
    window.focus();
    go(hash);
    shown.close();
  };
}

/// True if the browser lets us.
export async function allowNotifications(): Promise<boolean> {
  if (!("Notification" in window)) return false;
  return (await Notification.requestPermission()) === "granted";
}
