"""The platform's events, read from a real WebSocket."""

import json
import time

import websocket

from support.deadline import DEADLINE


class EventStream:
    """A client of GET /ws. `token` is sent in a header, never in the URL."""

    def __init__(self, platform, token=None, headers=None, **options):
        self.seen = []
        fields = dict(headers or {})
        if token:
            fields["Authorization"] = f"Bearer {token}"
        self._socket = websocket.create_connection(
            f"ws://{platform.host}:{platform.port}/ws", timeout=DEADLINE, suppress_origin=True,
            skip_utf8_validation=True,  # slow in this library; recv() decodes strictly anyway
            header=[f"{name}: {value}" for name, value in fields.items()], **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    @property
    def socket(self):
        return self._socket

    def wait_for(self, event, workspace_id=None, seconds=DEADLINE):
        """The next frame of that type. Skips others, which are kept in `seen`."""
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            kinds = [frame["event"] for frame in self.seen]
            assert left > 0, f"no {event} within {seconds} s; seen: {kinds}"
            self._socket.settimeout(left)
            try:
                text = self._socket.recv()
            except websocket.WebSocketTimeoutException:
                continue
            frame = json.loads(text)
            assert set(frame) == {"event", "workspace_id", "timestamp", "payload"}, frame
            self.seen.append(frame)
            if frame["event"] == event and workspace_id in (None, frame["workspace_id"]):
                return frame
