"""Files for polling workspaces (platform-api.md 4.5, 4.6, 10), over real HTTP."""

import hashlib
import http.client
import os
import threading
import urllib.parse

import pytest

from support.deadline import DEADLINE
from support.platform import Platform, until

MIB = 1 << 20


@pytest.fixture
def agent(platform):
    return platform.create_workspace("agent")


def form(*files, boundary="the-boundary"):
    """A multipart body of (name, bytes) pairs, and its content type."""
    body = b""
    for name, content in files:
        body += (f"--{boundary}\r\nContent-Disposition: form-data; name=\"files\"; "
                 f"filename=\"{name}\"\r\nContent-Type: text/plain\r\n\r\n").encode()
        body += content + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    return {"body": body, "headers": {"Content-Type": f"multipart/form-data; boundary={boundary}"}}


def upload(platform, agent, *files, token=None):
    return platform.request("POST", f"/workspaces/{agent.id}/chat/uploads",
                            token or platform.admin_token, **form(*files))


def file_id(reply, index=0):
    return reply.body["files"][index]["uri"].rpartition("/")[2]


def content_path(agent, file):
    return f"/workspaces/{agent.id}/pending-uploads/{file}/content"


def fetch(platform, agent, file, method="GET", token=None):
    """The status, header fields and bytes."""
    connection = http.client.HTTPConnection(platform.host, platform.port, timeout=DEADLINE)
    try:
        connection.request(method, content_path(agent, file),
                           headers={"Authorization": f"Bearer {token or agent.token}"})
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read()
    finally:
        connection.close()


def test_10_a_file_comes_back_byte_for_byte(platform, agent):
    contents = [os.urandom(3 * MIB), b"", b"\r\n--the-boundar", b"\x00" * 70000]
    reply = upload(platform, agent, *((f"f{i}.txt", c) for i, c in enumerate(contents)))
    assert reply.status == 200, reply
    for index, content in enumerate(contents):
        status, headers, got = fetch(platform, agent, file_id(reply, index))
        assert (status, got) == (200, content)
        assert headers["Content-Type"] == "text/plain"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Disposition"].startswith("attachment;")
    status, headers, got = fetch(platform, agent, file_id(reply), method="HEAD")
    assert (status, headers["Content-Length"], got) == (200, str(3 * MIB), b"")


def test_10_a_connection_serves_files_and_json_in_turn(platform, agent):
    file = file_id(upload(platform, agent, ("a", b"x" * MIB)))
    connection = http.client.HTTPConnection(platform.host, platform.port, timeout=DEADLINE)
    for _ in range(3):
        connection.request("GET", content_path(agent, file),
                           headers={"Authorization": f"Bearer {agent.token}"})
        assert connection.getresponse().read() == b"x" * MIB
        connection.request("GET", "/health")
        assert connection.getresponse().read() == b'{"status":"ok"}'
    connection.close()


def test_10_an_upload_over_the_limit_is_413_and_other_routes_keep_their_limit(platform, agent):
    path = f"/workspaces/{agent.id}/chat/uploads"
    for where, size, expected in ((path, 101 * MIB + 1, 413), (f"/workspaces/{agent.id}/a2a",
                                                              16 * MIB + 1, 413)):
        connection = http.client.HTTPConnection(platform.host, platform.port, timeout=DEADLINE)
        connection.putrequest("POST", where)
        connection.putheader("Authorization", f"Bearer {agent.token}")
        connection.putheader("Content-Length", str(size))
        connection.endheaders()
        reply = connection.getresponse()
        assert reply.status == expected and b"max_bytes" in reply.read()
        connection.close()


def uploads_of(platform):
    """What is stored, besides the mark by which a platform knows its own folder."""
    return [path for path in (platform.data_dir / "uploads").iterdir()
            if path.name != ".molecule-platform-uploads"]


def start_upload(platform, agent, token, size, sent):
    """Starts an upload of `size` bytes; returns the connection, and the response if there is
    one."""
    connection = http.client.HTTPConnection(platform.host, platform.port, timeout=DEADLINE)
    connection.putrequest("POST", f"/workspaces/{agent.id}/chat/uploads")
    connection.putheader("Authorization", f"Bearer {token}")
    connection.putheader("Content-Length", str(size))
    connection.endheaders()
    try:
        connection.send(b"x" * sent)
    except OSError:
        pass  # already rejected
    return connection


def test_10_bodies_of_unauthenticated_clients_are_not_buffered(platform, agent):
    other = platform.create_workspace("other")
    before = platform.resident_bytes()
    crowd = [start_upload(platform, agent, token, 100 * MIB, 20 * MIB)
             for token in ("nonsense", other.token) for _ in range(10)]
    for connection in crowd:
        assert connection.getresponse().status == 401
    assert platform.resident_bytes() - before < 100 * MIB
    for connection in crowd:
        connection.close()


def test_10_too_many_concurrent_large_uploads_are_503(platform, agent):
    """Received bytes count, not declared ones: two whole bodies per token, four in total."""
    declared = [start_upload(platform, agent, agent.token, 101 * MIB, 0) for _ in range(8)]
    assert upload(platform, agent, ("small.bin", b"x" * MIB)).status == 200
    crowd = [start_upload(platform, agent, agent.token, 101 * MIB, 95 * MIB) for _ in range(2)]
    third = start_upload(platform, agent, agent.token, 101 * MIB, 20 * MIB)
    reply = third.getresponse()
    assert reply.status == 503 and reply.headers["Retry-After"] == "5"
    other = platform.create_workspace("other")
    assert upload(platform, other, ("big.bin", b"x" * 50 * MIB)).status == 200
    for connection in declared + crowd + [third]:
        connection.close()
    until(lambda: upload(platform, agent, ("big.bin", b"x" * 99 * MIB)).status == 200)


def test_10_a_file_of_the_maximum_size_is_accepted(platform, agent):
    content = os.urandom(MIB) * 100
    reply = upload(platform, agent, ("big.bin", content))
    assert reply.status == 200, reply
    status, _, got = fetch(platform, agent, file_id(reply))
    assert status == 200
    assert hashlib.sha256(got).digest() == hashlib.sha256(content).digest()
    assert platform.request("GET", "/health").status == 200


def test_10_hostile_forms_are_400_and_leave_nothing_behind(platform, agent):
    whole = form(("a", b"x"))
    path = f"/workspaces/{agent.id}/chat/uploads"
    odd_types = ["", "multipart/form-data", "multipart/form-data; boundary=", "text/plain",
                 "multipart/form-data; boundary=other", "multipart/form-data; boundary=\"the",
                 "multipart/form-data; boundary=" + "b" * 5000]
    for content_type in odd_types:
        reply = platform.request("POST", path, agent.token, body=whole["body"],
                                 headers={"Content-Type": content_type})
        assert reply.status == 400, (content_type, reply)
    for cut in range(0, len(whole["body"]) - 4, 7):
        reply = platform.request("POST", path, agent.token, body=whole["body"][:cut],
                                 headers=whole["headers"])
        assert reply.status == 400, (cut, reply)
    assert upload(platform, agent, *[("f", b"x")] * 65).status == 400
    assert platform.activity(agent).body == []
    assert uploads_of(platform) == []


def test_10_path_traversal_is_rejected(platform, agent):
    for file in ("..", "../admin_token", "%2e%2e%2fadmin_token", "x/../../admin_token", "\u0000",
                 "a" * 5000, "00000000-0000-0000-0000-000000000000"):
        encoded = urllib.parse.quote(file, safe="%")
        for method, what in (("GET", "content"), ("POST", "ack")):
            path = f"/workspaces/{agent.id}/pending-uploads/{encoded}/{what}"
            assert platform.request(method, path, agent.token).status == 404, (file, what)


def test_10_foreign_and_missing_tokens_are_rejected(platform, agent):
    other = platform.create_workspace("other")
    file = file_id(upload(platform, agent, ("a", b"secret")))
    for token in ("nonsense", other.token):
        assert fetch(platform, agent, file, token=token)[0] == 401
        ack = f"/workspaces/{agent.id}/pending-uploads/{file}/ack"
        assert platform.request("POST", ack, token).status == 401
        assert upload(platform, agent, ("a", b"x"), token=token).status == 401
    assert fetch(platform, other, file)[0] == 404
    assert fetch(platform, agent, file)[2] == b"secret"


def test_10_acknowledged_uploads_survive_kill_9(build):
    """Killed during uploads: every acknowledged file is complete, and no partial file is
    visible."""
    with Platform(build) as platform:
        agent = platform.create_workspace("agent")
        answered = {}
        stop = threading.Event()

        def send(worker):
            for number in range(10_000):
                content = f"{worker}-{number} ".encode() * 20_000
                try:
                    reply = upload(platform, agent, ("f", content))
                    assert reply.status == 200, reply
                except (OSError, http.client.HTTPException):
                    return
                answered[file_id(reply)] = content
                if stop.is_set():
                    return

        workers = [threading.Thread(target=send, args=(n,)) for n in range(3)]
        for worker in workers:
            worker.start()
        until(lambda: len(answered) >= 20, 30)
        platform.kill9()
        stop.set()
        for worker in workers:
            worker.join()
        platform.restart()
        for file, content in answered.items():
            assert fetch(platform, agent, file)[2] == content
        rows = platform.activity(agent, limit=500, type="a2a_receive").body
        for row in rows:
            body = row["request_body"]
            status, _, got = fetch(platform, agent, body["file_id"])
            assert (status, len(got)) == (200, body["size"])


def test_10_an_unwritable_disk_fails_the_upload(platform, agent):
    folder = platform.data_dir / "uploads"
    folder.chmod(0o500)
    try:
        reply = upload(platform, agent, ("a", b"x"))
        # Root can write everywhere.
        assert reply.status == (200 if os.geteuid() == 0 else 503)
    finally:
        folder.chmod(0o700)


def test_10_chat_history_and_broadcast(platform, agent):
    other = platform.create_workspace("other")
    platform.send(agent, "from the person")
    platform.request("POST", f"/workspaces/{agent.id}/notify", agent.token, {"message": "answer"})
    platform.send(agent, "from a peer", caller=other)
    history = platform.request("GET", f"/workspaces/{agent.id}/chat-history", agent.token).body
    assert [(m["role"], m["content"]) for m in history["messages"]] == [
        ("user", "from the person"), ("agent", "answer")]
    assert history["reached_end"] is True
    platform.admin("PATCH", f"/workspaces/{other.id}/abilities", {"broadcast_enabled": True})
    reply = platform.request("POST", f"/workspaces/{other.id}/broadcast", other.token,
                             {"message": "all"})
    assert (reply.status, reply.body) == (200, {"status": "sent", "delivered": 1})
    newest = platform.activity(agent, limit=1).body[0]
    assert (newest["method"], newest["source_id"]) == ("broadcast", other.id)
