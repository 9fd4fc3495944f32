import { h } from "preact";
import { settings } from "../../core/settings";
import { ui } from "../../core/ui";
import { Dialog } from "../../parts/dialog";

const keys: [string, string][] = [
  ["Ctrl K", "search and go anywhere"],
  ["Enter", "send the message"],
  ["Shift Enter", "start a new line"],
  ["Esc", "close what is on top"],
];

const letters: [string, string][] = [
  ["?", "these keys"],
  ["/", "filter the agents"],
  ["n", "new agent"],
  ["j k", "next and previous agent"],
  ["g a", "agents"],
  ["g m", "map"],
  ["g i", "inbox"],
  ["g t", "agent talk"],
  ["g l", "activity"],
  ["g s", "settings"],
];

const rows = (list: [string, string][]) =>
  list.map(([key, words]) => (
    <tr>
      <td>{key.split(" ").map((one) => <kbd>{one}</kbd>)}</td>
      <td>{words}</td>
    </tr>
  ));

export const Keys = () => (
  <Dialog title="Keys" onClose={ui.close}>
    <table class="keys">
      <tbody>
        {rows(keys)}
        {settings.letters && rows(letters)}
      </tbody>
    </table>
    {!settings.letters && <p class="hint">Single letters are switched off in Settings.</p>}
  </Dialog>
);
