#!/usr/bin/env python3
"""How long a message takes to reach an agent that waits: from the sender's request to the result of
`wait_for_message`, on loopback, with the real programs. Once with the event stream, and once behind
a proxy that has none, where the next poll brings it.

    test/bench/arrival.py BUILD [--messages N] [--polled N]
"""

import argparse
import os
import random
import socket
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))

from support.mcp import McpProcess  # noqa: E402
from support.platform import Platform  # noqa: E402

NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 18\r\n\r\n404 page not found"


class ProxyWithoutStream:
    """Passes all connections on, but answers requests for the event stream itself."""

    def __init__(self, port):
        self._target = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self._server.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        upstream = socket.create_connection(("127.0.0.1", self._target))
        for end in (client, upstream):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self._copy, args=(upstream, client), daemon=True).start()
        while data := client.recv(65536):
            if b"/events/stream " in data:
                client.sendall(NOT_FOUND)
            else:
                upstream.sendall(data)
        upstream.close()

    @staticmethod
    def _copy(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def measure(agent, send, count, pause):
    taken = []
    for number in range(count):
        text = f"message {number} {time.time_ns()}"
        waiting = agent.start_tool("wait_for_message", {"timeout_secs": 30})
        time.sleep(pause())
        start = time.perf_counter()
        send(text)
        message = agent.tool_result(waiting).json
        taken.append((time.perf_counter() - start) * 1000)
        assert message.get("text") == text, message
        agent.call("inbox_pop", activity_id=message["activity_id"])
    return taken


def measure_decisions(agent, platform, count, pause):
    """From the person's decision on a request of the agent's."""
    taken = []
    for number in range(count):
        asked = agent.call("create_request", kind="approval", title=f"question {number}",
                           detail=str(time.time_ns())).json
        waiting = agent.start_tool("wait_for_message", {"timeout_secs": 30})
        time.sleep(pause())
        start = time.perf_counter()
        platform.admin("POST", f"/requests/{asked['request_id']}/respond",
                       {"action": "approved", "message": "yes"})
        message = agent.tool_result(waiting).json
        taken.append((time.perf_counter() - start) * 1000)
        assert message.get("kind") == "request_update", message
        agent.call("inbox_pop", activity_id=message["activity_id"])
    return taken


def run(build, platform, url, count, pause, folder):
    workspace = platform.create_workspace("agent")
    peer = platform.create_workspace("peer")
    platform.register(peer)
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8",
           "WORKSPACE_ID": workspace.id, "PLATFORM_URL": url,
           "MOLECULE_WORKSPACE_TOKEN": workspace.token, "CONFIGS_DIR": str(folder / workspace.id)}
    agent = McpProcess(build / "molecule-mcp", env, [], {workspace.token})
    agent.initialize()
    senders = {"the person's message": lambda text: platform.send(workspace, text),
               "a peer's message": lambda text: platform.send(workspace, text, caller=peer)}
    try:
        found = {name: measure(agent, send, count, pause) for name, send in senders.items()}
        found["the person's decision"] = measure_decisions(agent, platform, count, pause)
        return found
    finally:
        agent.finish()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("build", type=Path)
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--polled", type=int, default=20, help="messages without the stream")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Platform(options.build) as platform:
        build = options.build.resolve()
        streamed = run(build, platform, platform.url, options.messages,
                       lambda: random.uniform(0.15, 0.3), Path(folder))
        proxy = ProxyWithoutStream(platform.port)
        polled = run(build, platform, proxy.url, options.polled,
                     lambda: random.uniform(0.15, 0.3), Path(folder))
    print("| what arrives | with | median | p99 |\n|---|---|---|---|")
    for way, results in (("the event stream", streamed), ("the poll alone", polled)):
        for name, taken in results.items():
            print(f"| {name} | {way} | {statistics.median(taken):.1f} ms "
                  f"| {percentile(taken, 0.99):.1f} ms |")


if __name__ == "__main__":
    main()
