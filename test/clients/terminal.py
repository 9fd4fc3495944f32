"""A terminal for hosts that are interactive programs."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time

ROWS, COLUMNS = 50, 160
CONTROL = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]"
                     r"|\x1b[()][A-Z0-9]|\x1b.")


class Terminal:
    """Runs one program; its output is kept without the codes that colour it and move the cursor."""

    def __init__(self):
        self.raw = bytearray()

    def start(self, command, environment, folder):
        self.near, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        process = subprocess.Popen(command, env=environment, cwd=folder, stdin=far, stdout=far,
                                   stderr=far, start_new_session=True)
        os.close(far)
        threading.Thread(target=self.read, daemon=True).start()
        return process

    def read(self):
        while True:
            try:
                chunk = os.read(self.near, 1 << 16)
            except OSError:  # how a terminal tells that its program has gone
                chunk = b""
            if not chunk:
                break
            self.raw += chunk
        os.close(self.near)

    def text(self):
        """Words only: programs move the cursor instead of writing blanks."""
        return CONTROL.sub(" ", self.raw.decode(errors="replace"))

    def shows(self, words):
        """Whether these words were on the screen, whatever stands between them."""
        pattern = r"\W*".join(re.escape(word) for word in words.split())
        return re.search(pattern, self.text()) is not None

    def press(self, keys):
        os.write(self.near, keys)

    def until(self, words, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.shows(words):
                return True
            time.sleep(0.1)
        return False
