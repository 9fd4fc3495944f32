"""A platform that does not take what the daemon sends for a message."""

from types import SimpleNamespace

import pytest

from support.daemon import Daemon, script
from support.fake_platform import Reply
from support.platform import until


@pytest.fixture
def start(mcp_binary, fake, workspace_id, token, tmp_path, keep):
    def begin(text, *arguments, env=None):
        workspace = SimpleNamespace(id=workspace_id, token=token)
        daemon = Daemon(mcp_binary, fake, workspace, tmp_path / "Ada", "--handler", "command",
                        *arguments, "--", script(tmp_path, text), env=env)
        return keep(daemon)

    return begin


def texts(fake):
    return [request.json["message"] for request in fake.seen("notify")]


def test_the_sender_is_told_of_an_answer_that_is_never_taken(start, fake):
    fake.script("notify", Reply(413, {"error": "too large"}))
    daemon = start("cat >/dev/null; echo the answer")
    fake.add_message("hello")
    (aside,) = until(daemon.set_aside)
    assert aside[0] == "hello" and "the answer was not taken" in aside[1], aside
    assert len(texts(fake)) == 2 and texts(fake)[0] == "the answer"
    assert "could not answer" in texts(fake)[1]


def test_the_reason_outlasts_a_platform_that_is_away(start, fake, speedup):
    fake.always("notify", Reply(503, {"error": "away"}))
    daemon = start("cat >/dev/null; exit 3", "--retry-secs", "", env=speedup(20))
    fake.add_message("hello")
    until(lambda: daemon.rows("SELECT 1 FROM turns WHERE next_try > 0 AND tries = 1"))
    until(lambda: fake.seen("notify"))
    assert not daemon.set_aside()
    fake.always("notify", None)
    (aside,) = until(daemon.set_aside)
    assert "ended with code 3" in aside[1], aside
