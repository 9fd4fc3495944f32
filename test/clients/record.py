#!/usr/bin/env python3
"""record.py LOG COMMAND…: runs COMMAND and copies its stdin and stdout. Appends every line of
either side to LOG as {"host"|"server": text}."""

import json
import os
import subprocess
import sys
import threading

log_name, *command = sys.argv[1:]
log = os.open(log_name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def copy(source, target, side):
    rest = b""
    while chunk := os.read(source, 1 << 16):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            os.write(log, json.dumps({side: line.decode(errors="replace")}).encode() + b"\n")
        try:
            view = memoryview(chunk)
            while view:
                view = view[os.write(target, view):]
        except BrokenPipeError:
            return
    os.close(target)


child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
to_child = os.dup(child.stdin.fileno())
child.stdin.close()
threading.Thread(target=copy, args=(0, to_child, "host"), daemon=True).start()
copy(child.stdout.fileno(), 1, "server")
sys.exit(child.wait())
