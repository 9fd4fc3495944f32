#!/usr/bin/env python3
"""record.py LOG COMMAND…: runs COMMAND and copies what goes in and out. LOG gets, appended by whole
lines, every line of both sides as {"host"|"server": text}, and the process as {"pid"} and {"exit"}.
"""

import json
import os
import signal
import subprocess
import sys
import threading

log_name, *command = sys.argv[1:]
log = os.open(log_name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def note(key, value):
    os.write(log, json.dumps({"from": os.getpid(), key: value}).encode() + b"\n")


def copy(source, target, side):
    rest = b""
    while chunk := os.read(source, 1 << 16):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            note(side, line.decode(errors="replace"))
        try:
            view = memoryview(chunk)
            while view:
                view = view[os.write(target, view):]
        except BrokenPipeError:
            return
    os.close(target)


child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
note("pid", child.pid)
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, lambda number, _: child.send_signal(number))
to_child = os.dup(child.stdin.fileno())
child.stdin.close()
threading.Thread(target=copy, args=(0, to_child, "host"), daemon=True).start()
copy(child.stdout.fileno(), 1, "server")
note("exit", child.wait())
os._exit(max(child.returncode, 0))  # at once, though the other thread still reads
