"""A small HTTP client for hundreds of agents in one process."""

import asyncio
import json


class Failed(Exception):
    """No answer, or one that says to try again."""


class Client:
    """Keeps one connection to the load balancer, and makes another one when it ends."""

    def __init__(self, port, token):
        self._port, self._token, self._streams = port, token, None

    async def call(self, method, path, body=None, timeout=20):
        try:
            return await asyncio.wait_for(self._call(method, path, body), timeout)
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, ValueError, IndexError) as error:
            self.close()
            raise Failed(repr(error)) from None

    async def _call(self, method, path, body):
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        content = b"" if body is None else json.dumps(body).encode()
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self._token}\r\n"
                     f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        status = int(head.split(" ", 2)[1])
        fields = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if ": " in line)
        if "content-length" in fields:
            text = await reader.readexactly(int(fields["content-length"]))
        else:
            text = await self._chunks(reader)
        if fields.get("connection") == "close":
            self.close()
        if status in (429, 500, 502, 503, 504):
            raise Failed(f"{method} {path}: {status}")
        return status, json.loads(text) if "json" in fields.get("content-type", "") else text

    @staticmethod
    async def _chunks(reader):
        text = b""
        while size := int(await reader.readline(), 16):
            text += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
        return text

    def close(self):
        if self._streams:
            self._streams[1].close()
            self._streams = None
