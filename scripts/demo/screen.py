"""The demonstration's output: steps, facts, and what is being waited for."""

import os
import sys
import time

COLOURS = {"bold": "1", "dim": "2", "green": "32", "red": "31", "cyan": "36"}


class Screen:
    """Colour and a running clock on a terminal, plain lines elsewhere."""

    def __init__(self, out=sys.stdout):
        self._out, self._steps, self._line = out, 0, None
        self._tty = out.isatty() and os.environ.get("TERM") != "dumb"
        self._coloured = self._tty and not os.environ.get("NO_COLOR")
        if hasattr(out, "reconfigure"):
            out.reconfigure(errors="replace")

    def paint(self, colour, text):
        return f"\033[{COLOURS[colour]}m{text}\033[0m" if self._coloured else text

    def print(self, text=""):
        self._forget_line()
        print(text, file=self._out, flush=True)

    def step(self, title):
        self._steps += 1
        self.print(f"\n{self.paint('bold', f'{self._steps}  {title}')}")

    def fact(self, who, text):
        """Prints something that was read back; `who` names its subject."""
        self.print(f"   {self.paint('green', '✓')} {self.paint('cyan', f'{who:<9}')} {text}")

    def waiting(self, text):
        """Shows what is being waited for; returns a function to call regularly while waiting."""
        began = time.monotonic()
        if not self._tty:
            self.print(f"   … {text}")
            return lambda: None

        def tick():
            self._line = f"   {self.paint('dim', f'… {text}: {time.monotonic() - began:.0f} s')}"
            self._out.write(f"\r\033[K{self._line}")
            self._out.flush()

        tick()
        return tick

    def _forget_line(self):
        if self._line is not None:
            self._out.write("\r\033[K")
            self._line = None
