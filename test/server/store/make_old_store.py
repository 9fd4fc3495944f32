"""Makes platform-0.1.0.db: a store as molecule-platform 0.1.0 left it, which recorded no version.

    make_old_store.py PROGRAM FILE

Kept for the day when the file has to be made again; test_migrations.cpp opens the file and expects
what is written here.
"""

import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request

BOUNDARY = "old-store"


class Platform:
    def __init__(self, program, folder):
        self.process = subprocess.Popen([program, "--listen", "127.0.0.1:0", "--data", folder],
                                        stdout=subprocess.PIPE, text=True)
        self.url = re.search(r"http://\S+", self.process.stdout.readline()).group()
        self.admin = (pathlib.Path(folder) / "admin_token").read_text().strip()

    def send(self, method, path, token, body=None, content_type="application/json"):
        data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        request = urllib.request.Request(
            self.url + path, data, method=method,
            headers={"Authorization": f"Bearer {token}", "Content-Type": content_type})
        with urllib.request.urlopen(request) as reply:
            return json.load(reply)

    def create(self, name, **fields):
        made = self.send("POST", "/workspaces", self.admin,
                         {"name": name, "external": True, "delivery_mode": "poll", **fields})
        return made["id"], made["connection"]["auth_token"]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait()


def message(text, message_id):
    return {"method": "message/send",
            "params": {"message": {"role": "user", "messageId": message_id,
                                   "parts": [{"kind": "text", "text": text}]}}}


def fill(platform):
    lead, lead_token = platform.create("lead")
    worker, worker_token = platform.create("worker", parent_id=lead, role="digs")
    gone, _ = platform.create("gone")
    platform.send("POST", "/registry/register", worker_token,
                  {"id": worker, "agent_card": {"name": "worker"}, "delivery_mode": "poll"})
    platform.send("POST", "/registry/heartbeat", worker_token,
                  {"workspace_id": worker, "current_task": "digging", "active_tasks": 1})
    for number in range(3):
        platform.send("POST", f"/workspaces/{worker}/a2a", lead_token,
                      message(f"message {number}", f"m{number}"))
    platform.send("POST", f"/workspaces/{worker}/a2a", platform.admin,
                  message("from the person", "p1"))
    platform.send("POST", f"/workspaces/{worker}/notify", worker_token, {"message": "to the person"})
    platform.send("POST", f"/workspaces/{worker}/activity/ack", worker_token, {"acked_seq": 2})
    platform.send("POST", f"/workspaces/{lead}/delegate", lead_token,
                  {"target_id": worker, "task": "dig", "idempotency_key": "k1"})
    for scope in ("LOCAL", "TEAM", "GLOBAL"):
        platform.send("POST", f"/workspaces/{lead}/memories", lead_token,
                      {"content": f"The treasures lie {scope} under the elm", "scope": scope})
    platform.send("POST", f"/workspaces/{worker}/memory", worker_token,
                  {"key": "depth", "value": {"metres": 3}})
    platform.send("POST", f"/workspaces/{worker}/memory", worker_token,
                  {"key": "depth", "value": {"metres": 4}})
    form = (f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"map.txt\""
            f"\r\nContent-Type: text/plain\r\n\r\nX\r\n--{BOUNDARY}--\r\n")
    platform.send("POST", f"/workspaces/{worker}/chat/uploads", platform.admin, form.encode(),
                  f"multipart/form-data; boundary={BOUNDARY}")
    platform.send("PATCH", f"/workspaces/{lead}/budget", platform.admin, {"budget_limit": 500})
    platform.send("DELETE", f"/workspaces/{gone}", platform.admin)


def main():
    program, file = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        platform = Platform(program, folder)
        try:
            fill(platform)
        finally:
            code = platform.stop()
        if code != 0:
            sys.exit(f"molecule-platform ended with {code}")
        shutil.copy(pathlib.Path(folder) / "platform.db", file)


main()
