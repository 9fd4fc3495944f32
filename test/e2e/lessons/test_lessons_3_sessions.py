"""Files (lessons.md 3) if several sessions serve one workspace."""

import signal
import threading
import uuid

import pytest

from support.fake_platform import Reply
from e2e.lessons.test_lessons_2_sessions import start_two
from e2e.lessons.test_lessons_3 import Sent, next_message, path_of


@pytest.mark.parametrize("late", ["whole", "cut"])
def test_lesson_3_1_a_resumed_owner_leaves_its_successors_file_alone(
        spawn, fake, workspace_id, state, late):
    owner, other = start_two(spawn, fake, speed=4)
    sent = Sent(workspace_id)
    asked, wake = threading.Event(), threading.Event()

    def slow(request):
        asked.set()
        wake.wait(60)
        whole = sent.reply()
        return whole if late == "whole" else Reply(body=b"the by", headers={"Content-Length": "9"},
                                                   close_after=6)

    fake.script("pending", slow)
    fake.always("pending", sent.reply())
    sent.message(fake)
    assert asked.wait(20)
    owner.signal(signal.SIGSTOP)
    fake.wait_for("pending_ack")
    path = path_of(next_message(other)["attachments"][0]["uri"])
    assert path.read_bytes() == sent.content
    wake.set()
    owner.signal(signal.SIGCONT)
    owner.wait_stderr("another process keeps workspace")
    fake.wait_for("pending", 2)
    fake.next("activity", 3)
    assert path.read_bytes() == sent.content
    assert list((state / "uploads").iterdir()) == [path]
    assert len(fake.seen("pending_ack")) == 1


def test_lesson_3_2_a_file_sent_by_another_session_is_left_alone(spawn, fake, workspace_id, tmp_path):
    """The owner polls the file's row, which has no source, before the sender knows its id."""
    owner, other = start_two(spawn, fake, speed=10)
    (tmp_path / "mine.txt").write_text("mine")
    own_id = str(uuid.uuid4())
    uri = f"platform-pending:{workspace_id}/{own_id}"

    def take(request):
        fake.add_row(method="chat_upload_receive",
                     request_body={"file_id": own_id, "name": "mine.txt", "size": 4, "uri": uri})
        fake.next("activity", 3)
        return Reply(body={"files": [{"uri": uri, "name": "mine.txt", "size": 4}]})

    fake.always("uploads", take)
    fake.always("pending", Reply(body=b"the bytes"))
    result = other.call("send_message_to_user", message="here",
                        attachments=[str(tmp_path / "mine.txt")])
    assert not result.failed, result
    theirs = Sent(workspace_id).arrive(fake)
    fake.wait_for("pending_ack", where=lambda r: theirs.id in r.target)
    fake.next("activity", 2)
    touched = [r.target for r in fake.requests if r.route in ("pending", "pending_ack")]
    assert touched and not any(own_id in t for t in touched), touched
