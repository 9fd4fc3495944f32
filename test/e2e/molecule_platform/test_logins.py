"""The login of the person's browser, over the wire (page.md 1)."""

import re
import signal
import subprocess
import threading
import time

from support.deadline import DEADLINE
from support.events import EventStream

LINK = re.compile(r"http://\S+/login\?code=(\S+)")


def code_at_start(platform):
    """The code of the link that the platform prints beside its first line."""
    until = time.monotonic() + DEADLINE
    while not LINK.search(platform.stderr()):
        assert time.monotonic() < until, platform.stderr()
        threading.Event().wait(0.02)
    return LINK.search(platform.stderr())[1]


def log_in(platform, code):
    reply = platform.request("GET", f"/login?code={code}")
    assert reply.status == 303 and reply.headers["Location"] == "./"
    cookie = reply.headers["Set-Cookie"]
    assert re.fullmatch(rf"molecule_session_{platform.port}=\S+; HttpOnly; SameSite=Strict; Path=/; "
                        r"Max-Age=2592000", cookie)
    return cookie.split(";")[0]


def another_link(platform):
    done = subprocess.run([platform.binary, "login-link", "--data", str(platform.data_dir),
                           *platform.store_args],
                          capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_the_link_on_stderr_and_those_of_login_link_log_in_once(platform):
    code = code_at_start(platform)
    cookie = log_in(platform, code)
    assert platform.request("GET", "/workspaces", headers={"Cookie": cookie}).status == 200
    used = platform.request("GET", f"/login?code={code}")
    assert used.headers["Location"] == "./#login-expired" and "Set-Cookie" not in used.headers
    status, out, err = another_link(platform)
    assert (status, err) == (0, "")
    assert out.startswith(platform.url + "/login?code=") and out.count("\n") == 1
    log_in(platform, LINK.search(out)[1])
    assert len(platform.admin("GET", "/sessions").body["sessions"]) == 2
    # Where the login form points to.
    info = platform.request("GET", "/login/info").body
    assert info["token_file"] == str(platform.data_dir / "admin_token")
    platform.stop()
    status, out, err = another_link(platform)
    assert status == 1 and out == "" and "no molecule-platform runs" in err
    platform.start()


def test_wrong_tokens_are_slowed_and_a_right_one_still_logs_in(platform):
    def attempt(token):
        return platform.request("POST", "/login", json={"token": token})

    assert [attempt("wrong").status for _ in range(5)] == [401] * 5
    refused = attempt("wrong")
    assert refused.status == 429 and int(refused.headers["Retry-After"]) > 0
    assert attempt(platform.admin_token).status == 200
    # The same in other letters.
    assert platform.request("POST", "/l%6Fgin", json={"token": "x"}).status == 429


def test_a_cookie_changes_something_only_from_an_own_page(platform):
    cookie = {"Cookie": log_in(platform, code_at_start(platform))}
    new = {"name": "A", "external": True}
    own = {"Origin": platform.url}
    assert platform.request("POST", "/workspaces", json=new, headers=cookie).status == 403
    foreign = platform.request("POST", "/workspaces", json=new,
                               headers=cookie | {"Origin": "http://evil.example"})
    assert foreign.status == 403
    assert platform.request("POST", "/workspaces", json=new, headers=cookie | own).status == 201
    # Large bodies too.
    big = new | {"name": "B", "initial_memories": [{"content": "x" * 90000, "scope": "LOCAL"}]}
    assert platform.request("POST", "/workspaces", json=big, headers=cookie | own).status == 201
    assert platform.request("POST", "/workspaces", json=big, headers=cookie).status == 403

    with EventStream(platform, headers=cookie | own) as page:
        workspace = platform.create_workspace("C")
        page.wait_for("WORKSPACE_AWAITING_AGENT", workspace.id)
        platform.admin("DELETE", "/sessions")
        opcode, data = page.socket.recv_data()
        while opcode == 1:
            opcode, data = page.socket.recv_data()
        assert (opcode, int.from_bytes(data[:2], "big")) == (8, 1008)


def test_the_hosted_platforms_page_logs_its_websocket_in(platform):
    protocols = ["molecule-auth." + platform.admin_token.encode().hex(), "molecule-ws"]
    with EventStream(platform, subprotocols=protocols) as page:
        assert page.socket.subprotocol == "molecule-ws"
        platform.create_workspace("A")
        page.wait_for("WORKSPACE_AWAITING_AGENT")
        platform.process.send_signal(signal.SIGTERM)
        opcode, data = page.socket.recv_data()
        while opcode == 1:
            opcode, data = page.socket.recv_data()
        assert (opcode, int.from_bytes(data[:2], "big")) == (8, 1001)
    platform.process.wait()
    platform.kill9()
    platform.start()


def test_another_websocket_version_is_told_which_one(platform):
    reply = platform.request("GET", "/ws", headers={
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "8",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
    assert reply.status == 426 and reply.headers["Sec-WebSocket-Version"] == "13"
