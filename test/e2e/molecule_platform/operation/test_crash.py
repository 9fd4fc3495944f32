"""kill -9 under load: acknowledged requests are kept, and repeating one creates no duplicate."""

import http.client
import random
import subprocess
import threading
import uuid

import pytest

from support.platform import Platform, child_env

ROUNDS = 24
CLIENTS = 4
BROKEN = (OSError, http.client.HTTPException, ValueError)  # ValueError: a truncated response


class Ledger:
    """What the platform acknowledged, and the requests that got no response."""

    def __init__(self):
        self.messages, self.memories, self.keys = {}, {}, {}
        self.tokens, self.revoked, self.workspaces, self.removed = [], [], [], []
        self.unanswered = {}


class Client(threading.Thread):
    """Works until the connection breaks; every thread has its own workspace to write to."""

    def __init__(self, platform, workspace, seed):
        super().__init__(daemon=True)
        self.platform, self.workspace, self.random = platform, workspace, random.Random(seed)
        self.ledger, self.error = Ledger(), None
        self.done = 0

    def run(self):
        try:
            while True:
                self.random.choice([self.message, self.message, self.memory, self.key, self.token,
                                    self.create, self.remove])()
                self.done += 1
        except BROKEN:
            pass
        except Exception as error:  # reported by the test instead of the thread
            self.error = error

    def call(self, method, path, token, json=None, wanted=200):
        reply = self.platform.request(method, path, token, json, timeout=10)
        assert reply.status == wanted, reply
        return reply.body

    def message(self):
        message_id, text = str(uuid.uuid4()), f"text {self.random.random()}"
        self.ledger.unanswered[message_id] = text
        assert self.platform.send(self.workspace, text, message_id=message_id).status == 200
        self.ledger.messages[message_id] = self.ledger.unanswered.pop(message_id)

    def memory(self):
        content = f"memory {uuid.uuid4().hex[:12]}"
        made = self.call("POST", f"/workspaces/{self.workspace.id}/memories", self.workspace.token,
                         {"content": content, "scope": "LOCAL"}, 201)
        self.ledger.memories[made["id"]] = content

    def key(self):
        key, value = f"k{self.random.randrange(5)}", self.random.randrange(10**9)
        made = self.call("POST", f"/workspaces/{self.workspace.id}/memory", self.workspace.token,
                         {"key": key, "value": value})
        self.ledger.keys[key] = (made["version"], value)

    def token(self):
        path = f"/workspaces/{self.workspace.id}/tokens"
        made = self.call("POST", path, self.workspace.token, None, 201)["auth_token"]
        if self.random.random() < 0.9:
            listed = self.call("GET", path, self.workspace.token)["tokens"]
            token_id = next(t["id"] for t in listed if made.startswith(t["prefix"]))
            self.call("DELETE", f"{path}/{token_id}", self.workspace.token)
            self.ledger.revoked.append(made)
        else:
            self.ledger.tokens.append(made)

    def create(self):
        made = self.platform.create_workspace("made under load")
        self.ledger.workspaces.append(made)

    def remove(self):
        if self.ledger.workspaces:
            gone = self.ledger.workspaces.pop(0)
            self.call("DELETE", f"/workspaces/{gone.id}", self.platform.admin_token)
            self.ledger.removed.append(gone)


def all_messages(platform, workspace):
    """messageId → text of all messages, paging from the oldest row like a poller does."""
    newest = platform.activity(workspace, limit=500).body
    while older := newest and platform.activity(
            workspace, limit=500, before_ts=newest[-1]["created_at"]).body:
        newest = older
    rows = newest[-1:]
    while page := rows and platform.activity(workspace, since_id=rows[-1]["id"], limit=500).body:
        rows += page
    messages = [row["request_body"]["params"]["message"] for row in rows]
    found = {message["messageId"]: message["parts"][0]["text"] for message in messages}
    assert len(found) == len(rows), "a message is duplicated"
    return found


def verify(platform, client, ledger):
    workspace = client.workspace
    found = all_messages(platform, workspace)
    for message_id, text in ledger.messages.items():
        assert found.get(message_id) == text, "an acknowledged message is lost"
    for message_id, text in ledger.unanswered.items():  # the client repeats it: must be one message
        assert platform.send(workspace, text, message_id=message_id).status == 200
    after = all_messages(platform, workspace)
    assert set(ledger.unanswered) <= after.keys()
    assert after.keys() == found.keys() | set(ledger.unanswered)

    memories = {item["id"]: item["content"] for item in platform.request(
        "GET", f"/workspaces/{workspace.id}/memories", workspace.token).body}
    newest = list(ledger.memories.items())[-40:]  # a page contains 50
    for memory_id, content in newest:
        assert memories.get(memory_id) == content, "an acknowledged memory is lost"
        word = content.split()[1]
        assert [item["id"] for item in platform.request(
            "GET", f"/workspaces/{workspace.id}/memories?q={word}", workspace.token).body] == [
            memory_id], "the index has lost it"
    for key, (version, value) in ledger.keys.items():
        stored = platform.request("GET", f"/workspaces/{workspace.id}/memory/{key}",
                                  workspace.token).body
        assert (stored["version"], stored["value"]) == (version, value) or \
            stored["version"] == version + 1, "an acknowledged value is lost"
    path = f"/workspaces/{workspace.id}/tokens?limit=1"
    for token in ledger.tokens:
        assert platform.request("GET", path, token).status == 200, "a token is lost"
    for token in ledger.revoked:
        assert platform.request("GET", path, token).status == 401, "a revoked token is valid again"
    for made in ledger.workspaces:
        assert platform.heartbeat(made).status == 200, "a workspace is lost"
        assert platform.status_of(made) == "online"
    for gone in ledger.removed:
        assert platform.heartbeat(gone).status == 401
        assert platform.request("GET", f"/workspaces/{gone.id}").status == 410


@pytest.mark.parametrize("seed", range(2))
def test_kill_9_loses_nothing_that_was_acknowledged(build, tmp_path, seed):
    chance = random.Random(seed)
    done = 0
    with Platform(build, data_dir=tmp_path / "data") as platform:
        for round_number in range(ROUNDS // 2):
            workspaces = [platform.create_workspace(f"client {n}") for n in range(CLIENTS)]
            clients = [Client(platform, workspace, chance.random())
                       for workspace in workspaces]
            for client in clients:
                client.start()
            threading.Event().wait(chance.uniform(0.02, 0.4))  # the moment of the kill is the test's input
            platform.kill9()
            for client in clients:
                client.join(20)
                assert not client.is_alive()
                assert client.error is None, client.error
                done += client.done
            platform.start()
            for client in clients:
                verify(platform, client, client.ledger)
    assert done > ROUNDS * 5, "there was too little load"


def test_kill_9_during_the_first_start(build, tmp_path):
    """Whenever it is killed, the next start works, and the admin token is stable from then on."""
    chance = random.Random(7)
    data = tmp_path / "data"
    for number in range(15):
        folder = data / str(number)
        process = subprocess.Popen(
            [str(build / "molecule-platform"), "--listen", "127.0.0.1:0", "--data", str(folder)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=child_env(tmp_path))
        threading.Event().wait(chance.uniform(0, 0.03))
        process.kill()
        process.wait()
        with Platform(build, data_dir=folder) as platform:
            assert len(platform.admin_token) >= 32
            assert platform.admin("GET", "/workspaces").body == []
