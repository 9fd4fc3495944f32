"""Agents that beat, poll and write to each other, and clients that listen, while things break."""

import asyncio
import collections
import json
import random
import threading
import time
import uuid

import websocket

from cluster.client import Client, Failed

BEAT, POLL, SEND, RETRY = 5.0, 2.0, 4.0, 0.3


class Ledger:
    """What was acknowledged, and what came."""

    def __init__(self):
        self.sent = {}       # messageId: (to, begun, acknowledged)
        self.received = collections.defaultdict(list)  # agent: its messageIds in order of arrival
        self.failures = collections.Counter()

    def lost(self):
        return [name for name, (to, _, _) in self.sent.items() if name not in self.received[to]]

    def twice(self):
        return [name for names in self.received.values()
                for name, count in collections.Counter(names).items() if count > 1]


class Agent:
    def __init__(self, id_, token, port, ledger):
        self.id, self._ledger = id_, ledger
        # A request that waits for its next try must not hold up the others.
        self._clients = {name: Client(port, token) for name in ("beat", "poll", "send")}
        self._cursor = None

    async def patiently(self, client, *request):
        while True:
            try:
                return await self._clients[client].call(*request)
            except Failed as error:
                self._ledger.failures[str(error)[-3:]] += 1
                await asyncio.sleep(RETRY * random.uniform(0.5, 1.5))

    async def register(self):
        card = {"id": self.id, "url": "", "agent_card": {"name": "agent"}, "delivery_mode": "poll"}
        status, body = await self.patiently("beat", "POST", "/registry/register", card)
        assert status == 200, body

    async def beat(self, ended):
        while not ended.is_set():
            status, body = await self.patiently("beat", "POST", "/registry/heartbeat", {"workspace_id": self.id})
            assert status == 200, body
            await asyncio.sleep(BEAT * random.uniform(0.5, 1.5))

    async def poll(self, ended):
        while not ended.is_set():
            if not await self.poll_once():
                await asyncio.sleep(POLL * random.uniform(0.5, 1.5))

    async def poll_once(self):
        """True if a full page came."""
        path = f"/workspaces/{self.id}/activity?type=a2a_receive&limit=100"
        if self._cursor:
            path += f"&since_id={self._cursor}"
        status, rows = await self.patiently("poll", "GET", path)
        assert status == 200, rows
        # Without a cursor the newest come first.
        for row in rows if self._cursor else reversed(rows):
            self._ledger.received[self.id].append(row["request_body"]["params"]["message"]["messageId"])
        if rows:
            self._cursor = rows[-1 if self._cursor else 0]["id"]
        return len(rows) == 100

    async def send(self, peers, ended):
        await asyncio.sleep(SEND * random.random())
        while not ended.is_set():
            to = random.choice(peers)
            if to is not self:
                await self.send_one(to)
            await asyncio.sleep(SEND * random.uniform(0.5, 1.5))

    async def send_one(self, to):
        name, begun = str(uuid.uuid4()), time.monotonic()
        message = {"role": "user", "messageId": name, "parts": [{"kind": "text", "text": name}]}
        envelope = {"jsonrpc": "2.0", "id": "1", "method": "message/send", "params": {"message": message}}
        status, body = await self.patiently("send", "POST", f"/workspaces/{to.id}/a2a", envelope)
        assert status == 200, body
        self._ledger.sent[name] = (to.id, begun, time.monotonic())

    def close(self):
        for client in self._clients.values():
            client.close()


class Listener(threading.Thread):
    """A page: a WebSocket that is opened again whenever it ends. `stays` has each stay: when it began,
    when it ended, and how often each message was seen."""

    def __init__(self, port, token):
        super().__init__(daemon=True)
        self._port, self._token, self.stays, self.ended = port, token, [], False

    def run(self):
        while not self.ended:
            try:
                self._listen()
            except (OSError, websocket.WebSocketException):
                time.sleep(RETRY)

    def _listen(self):
        opened = websocket.create_connection(f"ws://127.0.0.1:{self._port}/ws", timeout=20, suppress_origin=True,
                                             header=[f"Authorization: Bearer {self._token}"])
        seen = collections.Counter()
        stay = [time.monotonic(), None, seen]
        self.stays.append(stay)
        opened.settimeout(1)
        try:
            while not self.ended:
                try:
                    text = opened.recv()
                except websocket.WebSocketTimeoutException:
                    continue
                if not text:
                    return
                frame = json.loads(text)
                if frame["event"] == "ACTIVITY_LOGGED":
                    seen[frame["payload"].get("message_id")] += 1
        finally:
            stay[1] = time.monotonic()
            opened.close()

    def problems(self, ledger, slack):
        """(missed, twice): what should have come while it listened, and what came again."""
        missed, twice = 0, 0
        for begun, ended, seen in self.stays:
            twice += sum(count > 1 for count in seen.values())
            for name, (_, sent, acknowledged) in ledger.sent.items():
                if sent > begun and acknowledged < (ended or time.monotonic()) - slack:
                    missed += name not in seen
        return missed, twice
