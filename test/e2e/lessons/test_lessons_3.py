"""Files (lessons.md 3): each test has the number of its sentence."""

import os
import re
import stat
import uuid
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from support.fake_platform import HTML, RESET, Reply, envelope
from support.platform import until
from e2e.molecule_platform.test_files import fetch, file_id, upload


@pytest.fixture
def uploads(state):
    return state / "uploads"


class Sent:
    """A file as the platform presents it, and the message that refers to it. It arrives when the test
    says so, which by then has said what the platform answers to those who fetch it."""

    def __init__(self, workspace_id, name="report.pdf", content=b"the bytes",
                 mime_type="application/pdf", **row):
        self.id, self.name, self.content = str(uuid.uuid4()), name, content
        self.uri = f"platform-pending:{workspace_id}/{self.id}"
        self.body = {"file_id": self.id, "name": name, "mimeType": mime_type,
                     "size": len(content), "uri": self.uri}
        self._row, self._arrived = row, False

    def arrive(self, fake):
        self._arrived = True
        fake.add_row(method="chat_upload_receive", request_body=self.body, **self._row)
        return self

    def message(self, fake, text="see the file"):
        if not self._arrived:
            self.arrive(fake)
        body = envelope(text)
        body["params"]["message"]["parts"].append(
            {"kind": "file", "file": {"uri": self.uri, "name": self.name,
                                      "mimeType": "application/pdf", "size": len(self.content)}})
        return fake.add_row(request_body=body)["id"]

    def reply(self):
        return Reply(body=self.content, headers={"Content-Type": "application/pdf"})


def next_message(mcp):
    return mcp.call("wait_for_message", timeout_secs=60).json


def path_of(uri):
    assert uri.startswith("file:///")
    return Path(unquote(urlsplit(uri).path))


def test_lesson_3_1_a_file_is_fetched_stored_acknowledged_and_named_in_the_message(
        mcp, fake, workspace_id, uploads):
    sent = Sent(workspace_id)
    fake.always("pending", sent.reply())
    sent.message(fake, f"look at {sent.uri}")
    message = next_message(mcp)
    [attachment] = message["attachments"]
    path = path_of(attachment["uri"])
    assert path.read_bytes() == b"the bytes"
    assert path.parent == uploads and path.name.endswith("report.pdf")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(uploads.stat().st_mode) == 0o700
    assert attachment["name"] == "report.pdf" and attachment["mimeType"] == "application/pdf"
    assert message["text"] == f"look at {attachment['uri']}"
    assert message["kind"] == "canvas_user"
    ack = fake.wait_for("pending_ack")[0]
    assert sent.id in ack.target
    routes = [r.route for r in fake.requests if r.route.startswith("pending")]
    assert routes == ["pending", "pending_ack"]
    assert len(mcp.call("inbox_peek").json) == 1, "an upload is not a message"


@pytest.mark.parametrize("name", ["../../../etc/passwd", "/etc/cron.d/x", "..", ".", "", "a/b\\c.txt",
                                  "x" * 300 + ".tar.gz", "new\nline", "\u202egpj.exe", "отчёт.pdf",
                                  "-rf", "$(reboot).sh", "con\u0000.txt"])
def test_lesson_3_1_names_are_safe_and_short(mcp, fake, workspace_id, uploads, name):
    sent = Sent(workspace_id, name=name)
    fake.always("pending", sent.reply())
    sent.message(fake)
    path = path_of(next_message(mcp)["attachments"][0]["uri"])
    assert path.parent == uploads and path.read_bytes() == b"the bytes"
    assert len(os.fsencode(path.name)) <= 100 and path.name[0] not in ".-"
    assert not set(path.name) & set("/\\\n\0 $()")
    if name == "отчёт.pdf":
        assert path.name.endswith(name)


def test_lesson_3_1_no_link_is_followed_and_nothing_overwritten(spawn, fake, workspace_id, uploads, tmp_path):
    """Somebody guessed the name and planted a link: the link is replaced, its target stays."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    uploads.mkdir(parents=True, mode=0o700)
    sent = Sent(workspace_id)
    (uploads / f"{sent.id.replace('-', '')}-report.pdf").symlink_to(victim)
    fake.always("pending", sent.reply())
    sent.message(fake)
    mcp = spawn(speed=20)
    mcp.initialize()
    path = path_of(next_message(mcp)["attachments"][0]["uri"])
    assert path.read_bytes() == b"the bytes" and not path.is_symlink()
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("fault", [Reply(500), Reply(503), RESET, HTML, Reply(401),
                                   Reply(body=b"the by", headers={"Content-Length": "9"}, close_after=6),
                                   Reply(body=b"fewer")],
                         ids=["500", "503", "reset", "html", "401", "cut", "other size"])
def test_lesson_3_1_a_failed_fetch_is_retried_and_blocks_nothing(mcp, fake, workspace_id, uploads, fault):
    sent = Sent(workspace_id)
    fake.script("pending", fault, fault)
    fake.always("pending", sent.reply())
    sent.message(fake)
    fake.add_message("another")
    message = next_message(mcp)
    fake.wait_for("pending_ack")
    assert len(fake.seen("pending")) == 3
    path = path_of(mcp.call("inbox_peek").json[0]["attachments"][0]["uri"])
    assert path.read_bytes() == b"the bytes"
    assert [p.name for p in uploads.iterdir()] == [path.name], "no partial file is left"
    assert message["activity_id"] and len(mcp.call("inbox_peek").json) == 2


@pytest.mark.parametrize("mime_type", ["text/html", "application/pdf"])
def test_lesson_3_1_a_web_page_is_a_file_only_if_its_row_says_so(
        mcp, fake, workspace_id, uploads, mime_type):
    sent = Sent(workspace_id, content=HTML.body.encode(), mime_type=mime_type)
    fake.always("pending", HTML)
    sent.message(fake)
    message = next_message(mcp)
    fake.wait_for("pending", 1 if mime_type == "text/html" else 3)
    if mime_type == "text/html":
        fake.wait_for("pending_ack")
        assert path_of(message["attachments"][0]["uri"]).read_bytes() == HTML.body.encode()
    else:
        assert not fake.seen("pending_ack") and "HTML page" in mcp.stderr_text
        assert message["attachments"][0]["status"] == "not fetched yet"


def test_lesson_3_1_a_slow_fetch_does_not_delay_messages(mcp, fake, workspace_id):
    sent = Sent(workspace_id)
    fake.always("pending", Reply(hang=True))
    sent.message(fake)
    fake.wait_for("pending")
    message = next_message(mcp)
    [attachment] = message["attachments"]
    assert attachment["uri"] == sent.uri and attachment["status"]
    fake.add_message("a later one")
    mcp.wait_messages(2)


def test_lesson_3_1_an_unanswered_ack_is_repeated_without_a_second_fetch(mcp, fake, workspace_id):
    sent = Sent(workspace_id)
    fake.always("pending", sent.reply())
    fake.script("pending_ack", Reply(500), RESET)
    sent.arrive(fake)
    fake.wait_for("pending_ack", 3)
    fake.next("activity", 2)
    assert len(fake.seen("pending")) == 1 and len(fake.seen("pending_ack")) == 3


def test_lesson_3_1_an_expired_file_is_requested_once(mcp, fake, workspace_id, uploads):
    sent = Sent(workspace_id)
    sent.message(fake)
    [attachment] = next_message(mcp)["attachments"]
    assert attachment["uri"] == sent.uri and "gone" in attachment["status"]
    fake.next("activity", 3)
    assert len(fake.seen("pending")) == 1 and fake.seen("pending_ack") == []
    assert list(uploads.iterdir()) == []


def test_lesson_3_1_malformed_rows_are_skipped(mcp, fake, workspace_id):
    for body in (None, {}, [], "x", {"file_id": 7}, {"file_id": "../../x"}, {"file_id": "x" * 4000},
                 {"file_id": None, "name": []}):
        fake.add_row(method="chat_upload_receive", request_body=body)
    fake.add_message("after them")
    assert next_message(mcp)["text"] == "after them"
    assert fake.seen("pending") == []


def test_lesson_3_1_a_kill_9_during_a_fetch_loses_nothing(spawn, fake, workspace_id, uploads):
    sent = Sent(workspace_id, content=b"x" * 100_000)
    fake.script("pending", Reply(hang=True))
    fake.always("pending", sent.reply())
    sent.message(fake)
    first = spawn(speed=20)
    first.initialize()
    fake.wait_for("pending")
    first.kill()
    second = spawn(speed=20)
    second.initialize()
    fake.wait_for("pending_ack")
    path = path_of(second.call("inbox_peek").json[0]["attachments"][0]["uri"])
    assert path.read_bytes() == sent.content
    assert len(list(uploads.iterdir())) == 1


def test_lesson_3_2_own_files_are_neither_fetched_nor_acknowledged(mcp, fake, workspace_id, tmp_path):
    """Recognised by their source or, if the platform gives none, by the response to the upload."""
    named = Sent(workspace_id, source_id=workspace_id).arrive(fake)
    (tmp_path / "mine.txt").write_text("mine")
    own_id = str(uuid.uuid4())
    uri = f"platform-pending:{workspace_id}/{own_id}"

    def take(request):
        fake.add_row(method="chat_upload_receive",
                     request_body={"file_id": own_id, "name": "mine.txt", "size": 4, "uri": uri})
        return Reply(body={"files": [{"uri": uri, "name": "mine.txt", "size": 4}]}, delay=0.5)

    fake.always("uploads", take)
    result = mcp.call("send_message_to_user", message="here", attachments=[str(tmp_path / "mine.txt")])
    assert not result.failed, result
    theirs = Sent(workspace_id).arrive(fake)
    fake.wait_for("pending", where=lambda r: theirs.id in r.target)
    fake.next("activity", 2)
    touched = [r.target for r in fake.requests if r.route in ("pending", "pending_ack")]
    assert not any(own_id in t or named.id in t for t in touched), touched


def test_lesson_3_3_outgoing_files_are_streamed_with_their_types(mcp, fake, workspace_id, tmp_path):
    for name in ("a.pdf", "b.PNG", "c.unknown"):
        (tmp_path / name).write_bytes(b"%" + name.encode())
    paths = [str(tmp_path / name) for name in ("a.pdf", "b.PNG", "c.unknown")]
    assert not mcp.call("send_message_to_user", message="m", attachments=paths).failed
    body = fake.seen("uploads")[0].body.lower()
    types = [b"application/pdf", b"image/png", b"application/octet-stream"]
    assert [body.find(t) > 0 for t in types] == [True] * 3


def read_by(mcp):
    """How many bytes the process has read so far, from files, pipes and connections."""
    with open(f"/proc/{mcp.pid}/io") as numbers:
        return int(next(line for line in numbers if line.startswith("rchar")).split()[1])


def test_lesson_3_3_sizes_are_checked_before_anything_is_read(mcp, fake, tmp_path):
    """Two files of 20 MiB and one that is too large: none of the three is read."""
    sizes = {"a.bin": 20 << 20, "b.bin": 20 << 20, "huge.bin": 300 << 20}
    for name, size in sizes.items():
        with open(tmp_path / name, "wb") as file:
            file.truncate(size)
    paths = [str(tmp_path / name) for name in sizes]
    before = read_by(mcp)
    refused = mcp.call("send_message_to_user", message="m", attachments=paths)
    assert refused.failed and "huge.bin" in refused.text and "Nothing was sent" in refused.text
    assert read_by(mcp) - before < 1 << 20
    assert fake.seen("uploads") == [] and fake.seen("notify") == []
    sent = mcp.call("send_message_to_user", message="m", attachments=paths[:2])
    assert not sent.failed, sent
    assert read_by(mcp) - before > 40 << 20, "the counter does not see what is read"


def take_all_but_the_last(request):
    names = [n.decode() for n in re.findall(rb'filename="([^"]*)"', request.body)]
    return Reply(body={"files": [{"uri": f"workspace:/{name}", "name": name, "size": 1}
                                 for name in names[:-1]]})


@pytest.mark.parametrize("case", ["absent", "folder", "refused", "taken in part"])
def test_lesson_3_3_either_all_files_are_sent_or_nothing(mcp, fake, tmp_path, case):
    """With every tool that sends files; a message to be answered stays in the inbox."""
    paths = [tmp_path / name for name in ("a.txt", "b.txt", "last.txt")]
    for path in paths:
        path.write_text("x")
    if case in ("absent", "folder"):
        paths[-1].unlink()
        if case == "folder":
            paths[-1].mkdir()
    replies = {"refused": Reply(413, {"error": "last.txt exceeds per-file limit (25 MB)"}),
               "taken in part": take_all_but_the_last}
    fake.always("uploads", replies.get(case))
    asked = fake.add_message("where are the files?")
    mcp.wait_messages(1)
    files = {"attachments": [str(path) for path in paths]}
    refusals = [mcp.call("send_message_to_user", message="here", **files),
                mcp.call("reply", activity_id=asked, text="here", **files)]
    assert all(r.failed and "Nothing was sent" in r.text for r in refusals), refusals
    assert fake.seen("notify") == []
    assert [m["activity_id"] for m in mcp.call("inbox_peek").json] == [asked]
    assert len(fake.seen("uploads")) == (2 if case in replies else 0)


def test_lesson_3_files_in_both_directions_on_the_real_platform(platform, spawn, tmp_path, state):
    agent = platform.create_workspace("agent")
    mcp = spawn({"WORKSPACE_ID": agent.id, "PLATFORM_URL": platform.url,
                 "MOLECULE_WORKSPACE_TOKEN": agent.token}, secrets=[agent.token], speed=20)
    mcp.initialize()
    content = os.urandom(2_000_000)
    reply = upload(platform, agent, ("photo of us.jpg", content))
    [file] = reply.body["files"]
    parts = [{"kind": "text", "text": "look"}, {"kind": "file", "file": file}]
    body = envelope("")
    body["params"]["message"]["parts"] = parts
    assert platform.admin("POST", f"/workspaces/{agent.id}/a2a", body).status == 200
    [attachment] = next_message(mcp)["attachments"]
    path = path_of(attachment["uri"])
    assert path.read_bytes() == content and path.name.endswith("photo_of_us.jpg")

    (tmp_path / "answer.txt").write_bytes(b"thanks")
    sent = mcp.call("send_message_to_user", message="nice", attachments=[str(tmp_path / "answer.txt")])
    assert not sent.failed, sent
    row = until(lambda: [r for r in platform.activity(agent).body if r["method"] == "notify"])[0]
    uri = row["response_body"]["parts"][0]["file"]["uri"]
    status, _, got = fetch(platform, agent, uri.rpartition("/")[2], token=platform.admin_token)
    assert (status, got) == (200, b"thanks")
    assert file_id(reply) not in uri
    assert len(list((state / "uploads").iterdir())) == 1, "its own file was fetched too"


def test_lesson_3_3_the_platforms_own_limits_apply(platform, spawn, tmp_path):
    """A file that older platforms reject, and one that this one rejects too, which is not sent
    at all."""
    agent = platform.create_workspace("agent")
    mcp = spawn({"WORKSPACE_ID": agent.id, "PLATFORM_URL": platform.url,
                 "MOLECULE_WORKSPACE_TOKEN": agent.token}, secrets=[agent.token])
    mcp.initialize()
    limits = platform.request("GET", "/uploads/limits").body

    def send(size, count=1):
        path = tmp_path / f"{size}.bin"
        with open(path, "wb") as file:
            file.truncate(size)
        return mcp.call("send_message_to_user", message=f"{size}", attachments=[str(path)] * count)

    largest, most = limits["per_file_bytes"], limits["max_attachments_per_message"]
    for size, count in ((26 << 20, 1), (largest, 1), (1, most)):
        sent = send(size, count)
        assert not sent.failed, sent
    for size, count in ((largest + 1, 1), (limits["per_request_bytes"] // 2 + 1, 2), (1, most + 1)):
        assert "Nothing was sent" in send(size, count).text
    rows = [r for r in platform.activity(agent).body if r["method"] == "notify"]
    sizes = sorted(part["file"].get("size") for r in rows for part in r["response_body"]["parts"])
    assert sizes == [1] * most + [26 << 20, largest]
