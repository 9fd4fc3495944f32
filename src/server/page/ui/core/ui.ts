// Which dialog is open. One at a time, but for what a dialog itself asks.

import { redraw } from "./redraw";

export type DialogName = "" | "create" | "search" | "keys";

export const ui = {
  dialog: "" as DialogName,
  open(name: DialogName): void {
    ui.dialog = name;
    redraw();
  },
  close(): void {
    ui.dialog = "";
    redraw();
  },
};
