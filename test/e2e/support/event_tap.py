"""An event stream that a test feeds: the answer of a `FakePlatform` to its clients."""

import json
import queue
import threading

from support.deadline import DEADLINE
from support.fake_platform import Reply

HEAD = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n")
PING = b": ping\n\n"


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


class EventTap:
    """`fake.always("events", tap)`. `first` is sent after the head; None sends nothing."""

    def __init__(self, first=PING):
        self._first = first
        self._queues = []
        self._changed = threading.Condition()

    def __call__(self, request):
        feed = queue.Queue()
        with self._changed:
            self._queues.append(feed)
            self._changed.notify_all()
        return Reply(raw=self._pieces(feed))

    def _pieces(self, feed):
        yield HEAD
        if self._first:
            yield chunk(self._first)
        while (piece := feed.get()) is not None:
            yield chunk(piece)

    def wait_opened(self, count=1, deadline=DEADLINE):
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._queues) >= count, deadline), \
                f"the event stream was opened {len(self._queues)} times, not {count}"

    def say(self, data):
        """To the newest client."""
        self._queues[-1].put(data)

    def tell(self, type, **payload):
        event = {"type": type, "timestamp": 1, "data": payload}
        self.say(b"data: " + json.dumps(event).encode() + b"\n\n")

    def cut(self):
        for feed in self._queues:
            feed.put(None)
