// Notifications of the browser: only if the person switched them on, and only where the page is not
// in front of them.

import { go } from "./route";
import { settings } from "./settings";

export function notify(title: string, body: string, hash: string): void {
  if (!settings.notifications || !document.hidden) return;
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  const shown = new Notification(title, { body, tag: hash });
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
