"""Whatever is sent to any route, the response is never a 5xx and the platform keeps running."""

import json
import random
import string
import urllib.parse
import uuid

import pytest

ROUTES = [
    ("POST", "/registry/register"), ("POST", "/registry/heartbeat"),
    ("POST", "/registry/update-card"), ("GET", "/registry/discover/{id}"),
    ("GET", "/registry/{id}/peers"), ("POST", "/registry/check-access"), ("GET", "/workspaces"),
    ("POST", "/workspaces"), ("GET", "/workspaces/{id}"), ("PATCH", "/workspaces/{id}"),
    ("DELETE", "/workspaces/{id}"), ("GET", "/workspaces/{id}/state"),
    ("GET", "/workspaces/{id}/budget"), ("PATCH", "/workspaces/{id}/budget"),
    ("GET", "/workspaces/{id}/tokens"), ("POST", "/workspaces/{id}/tokens"),
    ("DELETE", "/workspaces/{id}/tokens/{id}"), ("GET", "/events"), ("GET", "/events/{id}"),
    ("POST", "/workspaces/{id}/a2a"), ("GET", "/workspaces/{id}/activity"),
    ("POST", "/workspaces/{id}/activity"), ("POST", "/workspaces/{id}/activity/ack"),
    ("POST", "/workspaces/{id}/notify"), ("POST", "/workspaces/{id}/delegate"),
    ("GET", "/workspaces/{id}/delegations"), ("POST", "/workspaces/{id}/delegations/record"),
    ("POST", "/workspaces/{id}/delegations/{id}/update"), ("POST", "/workspaces/{id}/memories"),
    ("GET", "/workspaces/{id}/memories"), ("DELETE", "/workspaces/{id}/memories/{id}"),
    ("POST", "/workspaces/{id}/memory"), ("GET", "/workspaces/{id}/memory"),
    ("GET", "/workspaces/{id}/memory/{id}"), ("DELETE", "/workspaces/{id}/memory/{id}"),
    ("GET", "/health"), ("GET", "/"), ("GET", "/ws"),
]
FIELDS = ["id", "workspace_id", "agent_card", "url", "delivery_mode", "name", "role", "tier",
          "external", "parent_id", "canvas", "initial_memories", "message", "attachments",
          "target_id", "task", "idempotency_key", "content", "scope", "namespace", "key", "value",
          "ttl_seconds", "if_match_version", "activity_type", "source_id", "summary", "status",
          "duration_ms", "request_body", "params", "method", "jsonrpc", "parts", "acked_seq",
          "active_tasks", "error_rate", "uptime_seconds", "runtime_metadata", "budget_limit",
          "caller_id", "delegation_id", "x", "y", "messageId", "uri", "limit", "q"]
# The 5xx responses that the contract defines for workspaces that do not poll (1.4, 3.5).
ANSWERS_OF_THE_CONTRACT = {
    "workspace has no URL": 503, "workspace not available": 503,
    'this platform delivers to polling workspaces only: the target must register with '
    'delivery_mode "poll"': 502}


class Sender:
    def __init__(self, platform, seed):
        self.random = random.Random(seed)
        self.platform = platform
        parent = platform.create_workspace("parent")
        self.known = [parent, platform.create_workspace("child", parent_id=parent.id),
                      platform.create_workspace("pushing", delivery_mode="push")]

    def pick_id(self):
        return self.random.choice([workspace.id for workspace in self.known] * 3 + [
            str(uuid.UUID(int=self.random.getrandbits(128), version=4)), "x", "", "0" * 36,
            self.text(), "%00", "..", "a" * 3000, "'\";--"])

    def text(self):
        kind = self.random.randrange(6)
        if kind == 0:
            return ""
        if kind == 1:
            return "".join(chr(self.random.choice([self.random.randrange(0xd800), 0x1f600, 0, 10,
                                                   0x202e, 0xfffd])) for _ in range(20))
        if kind == 2:
            return self.random.choice(["poll", "push", "LOCAL", "TEAM", "GLOBAL", "a2a_receive",
                                       "message/send", "2.0", "completed", "failed", "external"])
        if kind == 3:
            return "x" * self.random.choice([1, 50, 51, 255, 256, 1000, 70_000])
        return "".join(self.random.choices(string.printable, k=self.random.randrange(30)))

    def value(self, depth=0):
        kind = self.random.randrange(9 if depth < 4 else 6)
        if kind == 0:
            return self.random.choice([None, True, False])
        if kind == 1:
            return self.random.choice([0, -1, 1, 2**31, 2**53 + 1, 2**63, -2**63 - 1, 10**400])
        if kind == 2:
            return self.random.choice([0.5, -0.0, 1e308, 1e-320])
        if kind == 3:
            return self.pick_id()
        if kind in (4, 5):
            return self.text()
        if kind == 6:
            return [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        return self.mapping(depth + 1)

    def mapping(self, depth=0):
        names = self.random.sample(FIELDS, self.random.randrange(9))
        return {name: self.value(depth) for name in names}

    def body(self):
        kind = self.random.randrange(10)
        if kind == 0:
            return None
        if kind == 1:
            return bytes(self.random.getrandbits(8) for _ in range(self.random.randrange(200)))
        if kind == 2:
            return self.random.choice([b"{", b"[]", b"null", b"1", b'"x"', b"[" * 3000, b"{}x",
                                       b'{"id":"\\ud800"}', b'{"a":1,"a":2}', b'{"a":1e999}',
                                       b'{"\\u0000":"\\u0000"}', b"\xef\xbb\xbf{}", b" \r\n\t{} "])
        value = self.mapping() if kind > 3 else self.value()
        text = json.dumps(value, ensure_ascii=self.random.random() < 0.5).encode("utf-8",
                                                                                 "surrogatepass")
        return text[:self.random.randrange(len(text) + 1)] if kind == 4 else text

    def path(self, pattern):
        path = pattern
        while "{id}" in path:
            path = path.replace("{id}", urllib.parse.quote(self.pick_id(), safe="%"), 1)
        if self.random.random() < 0.5:
            pairs = [(self.random.choice(FIELDS + ["type", "source", "since_id", "since_secs",
                                                   "before_ts", "include", "confirm", "purge"]),
                      str(self.value(4))[:300]) for _ in range(self.random.randrange(4))]
            path += "?" + urllib.parse.urlencode(pairs, errors="replace")
        return path

    def send_one(self):
        method, pattern = self.random.choice(ROUTES)
        if self.random.random() < 0.1:
            method = self.random.choice(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
        token = self.random.choice([None, "x", self.platform.admin_token] * 2 +
                                   [workspace.token for workspace in self.known])
        headers = {}
        if self.random.random() < 0.3:
            identity = self.pick_id()
            headers["X-Workspace-ID"] = identity.encode("latin-1", "replace").translate(
                None, b"\r\n\x00")
        path, body = self.path(pattern), self.body()
        reply = self.platform.request(method, path, token, body=body, headers=headers)
        error = reply.body.get("error") if isinstance(reply.body, dict) else None
        assert reply.status < 500 or ANSWERS_OF_THE_CONTRACT.get(error) == reply.status, (
            method, path, body, headers, reply)
        if 400 <= reply.status < 500 and isinstance(reply.body, dict):  # it states the reason
            assert error or reply.body.keys() & {"status", "deleted"}, reply
        return reply.status


@pytest.mark.parametrize("seed", range(6))
def test_random_requests(platform, seed):
    sender = Sender(platform, seed)
    statuses = {}
    for _ in range(500):
        status = sender.send_one()
        statuses[status] = statuses.get(status, 0) + 1
    assert platform.request("GET", "/health").status == 200
    listed = platform.admin("GET", "/workspaces")
    assert listed.status == 200 and isinstance(listed.body, list)
    for workspace in listed.body:  # everything stored can be read back
        assert platform.admin("GET", f"/workspaces/{workspace['id']}/activity").status == 200
        assert platform.admin("GET", f"/workspaces/{workspace['id']}/memories").status == 200
        assert platform.request("GET", f"/workspaces/{workspace['id']}").status == 200
    assert statuses.get(200, 0) > 20, statuses  # some requests must succeed
