"""A browser and an agent that reach the platform by its public address, over TLS."""

import http.client
import json
import re
import socket
import ssl
import urllib.parse
import uuid

import websocket

from support.deadline import DEADLINE


class Visitor:
    def __init__(self, url, port, authority):
        parts = urllib.parse.urlsplit(url)
        self.host, self.prefix, self.origin = parts.hostname, parts.path, f"https://{parts.hostname}"
        self._port = port
        self._context = ssl.create_default_context(cafile=str(authority))
        self._context.set_alpn_protocols(["http/1.1"])
        self.cookie = None

    def connection(self):
        made = http.client.HTTPSConnection(self.host, context=self._context, timeout=DEADLINE)
        made._create_connection = lambda *_: socket.create_connection(("127.0.0.1", self._port), DEADLINE)
        return made

    def open(self, method, path, body=None, **headers):
        """A reply that is still to be read; its connection closes with it."""
        fields = {name.replace("_", "-"): value for name, value in headers.items() if value}
        if isinstance(body, dict):
            body, fields["Content-Type"] = json.dumps(body), "application/json"
        connection = self.connection()
        connection.request(method, self.prefix + path, body=body, headers=fields)
        return connection, connection.getresponse()

    def request(self, method, path, body=None, **headers):
        connection, reply = self.open(method, path, body, **headers)
        with connection.sock or reply:
            text = reply.read()
        is_json = (reply.headers.get("Content-Type") or "").startswith("application/json")
        return reply.status, json.loads(text) if is_json else text, reply.headers

    def as_agent(self, agent, method, path, body=None):
        return self.request(method, path.replace(":id", agent.id), body, Authorization=f"Bearer {agent.token}")

    def as_person(self, method, path, body=None, **headers):
        return self.request(method, path, body, Cookie=self.cookie, Origin=self.origin, **headers)

    def log_in(self, link):
        """Follows a one-time link as a browser does."""
        assert link.startswith(f"{self.origin}{self.prefix}/login?code="), link
        status, _, headers = self.request("GET", link.removeprefix(self.origin + self.prefix))
        assert status == 303 and headers["Location"] == "./", (status, headers)
        cookie = headers["Set-Cookie"]
        attributes = [part.strip() for part in cookie.split(";")]
        assert attributes[0].startswith("molecule_session_443="), cookie
        assert {"HttpOnly", "Secure", "SameSite=Strict", f"Path={self.prefix}/"} <= set(attributes), cookie
        self.cookie = attributes[0]

    def log_in_with(self, token):
        status, _, headers = self.request("POST", "/login", {"token": token}, Origin=self.origin)
        assert status == 200
        self.cookie = headers["Set-Cookie"].partition(";")[0]

    def load_page(self):
        status, page, _ = self.request("GET", "/")
        assert status == 200
        files = re.findall(rb'(?:href|src)="([^"]+)"', page)
        assert len(files) >= 3 and not any(file.startswith(b"/") for file in files), page
        for file in files:
            status, content, headers = self.request("GET", "/" + file.decode())
            assert status == 200 and content, file
            assert "immutable" in headers["Cache-Control"]

    def socket(self):
        plain = socket.create_connection(("127.0.0.1", self._port), DEADLINE)
        encrypted = self._context.wrap_socket(plain, server_hostname=self.host)
        return websocket.create_connection(f"wss://{self.host}{self.prefix}/ws", socket=encrypted, timeout=DEADLINE,
                                           cookie=self.cookie, origin=self.origin)

    def use_everything(self, platform):
        """What browsers and agents do, each kind once."""
        self.load_page()
        status, made, _ = self.as_person("POST", "/workspaces",
                                         {"name": "agent", "external": True, "delivery_mode": "poll"})
        assert status == 201, made
        connection = made["connection"]
        assert connection["platform_url"] == self.origin + self.prefix
        agent = Agent(made["id"], connection["auth_token"])
        platform.secrets.add(agent.token)
        assert self.as_agent(agent, "POST", "/registry/register",
                             {"id": agent.id, "url": "", "agent_card": {"name": "a"},
                              "delivery_mode": "poll"})[0] == 200
        self.hear_at_once(agent)
        # An encoded slash belongs to the key.
        assert self.as_agent(agent, "POST", "/workspaces/:id/memory", {"key": "a/b c", "value": "v"})[0] == 200
        status, entry, _ = self.as_agent(agent, "GET", "/workspaces/:id/memory/a%2Fb%20c")
        assert status == 200 and entry["key"] == "a/b c", entry
        status, _, headers = self.as_agent(agent, "GET", "/workspaces/:id/activity/?limit=1")
        assert status == 301 and not headers["Location"].startswith("/"), headers
        self.send_a_file(agent)
        foreign = self.request("POST", "/workspaces", {"name": "x"}, Cookie=self.cookie, Origin="https://evil.example")
        assert foreign[0] == 403, foreign

    def hear_at_once(self, agent):
        stream, reply = self.open("GET", f"/workspaces/{agent.id}/events/stream",
                                  Authorization=f"Bearer {agent.token}")
        assert reply.status == 200
        events = self.socket()
        message = {"role": "user", "messageId": str(uuid.uuid4()), "parts": [{"kind": "text", "text": "hello"}]}
        sent = self.as_person("POST", f"/workspaces/{agent.id}/a2a",
                              {"jsonrpc": "2.0", "id": "1", "method": "message/send", "params": {"message": message}})
        assert sent[0] == 200, sent
        while json.loads(events.recv())["event"] != "ACTIVITY_LOGGED":
            pass
        events.close()
        while not (line := reply.readline()).startswith(b"data: "):
            assert line
        assert json.loads(line[6:])["type"]
        stream.close()
        reply.close()
        status, rows, _ = self.as_agent(agent, "GET", "/workspaces/:id/activity?type=a2a_receive")
        assert status == 200 and len(rows) == 1

    def send_a_file(self, agent):
        content = b"0123456789abcdef" * (6 << 16)  # 6 MiB
        body = (b'--x\r\nContent-Disposition: form-data; name="files"; filename="f.bin"\r\n\r\n' + content
                + b"\r\n--x--\r\n")
        status, sent, _ = self.as_person("POST", f"/workspaces/{agent.id}/chat/uploads", body,
                                         Content_Type="multipart/form-data; boundary=x")
        assert status == 200, sent
        file = sent["files"][0]["uri"].rpartition("/")[2]
        status, received, _ = self.as_agent(agent, "GET", f"/workspaces/:id/pending-uploads/{file}/content")
        assert status == 200 and received == content


class Agent:
    def __init__(self, id_, token):
        self.id, self.token = id_, token
