"""What is repeated because the first response was lost takes effect once (lessons.md 2.6)."""

import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "faults"))

from proxy import Proxy  # noqa: E402
from support.fake_platform import RESET  # noqa: E402
from support.platform import text_of, until  # noqa: E402


@pytest.fixture
def agent(platform):
    return platform.create_workspace("Ada")


@pytest.fixture
def proxy(platform):
    proxy = Proxy(platform.port)
    yield proxy
    proxy.close()


@pytest.fixture
def start(spawn, platform, proxy, agent):
    """A function that starts a session of the agent, with the platform behind the proxy."""
    def start(speed=10):
        child = spawn({"PLATFORM_URL": proxy.url, "WORKSPACE_ID": agent.id,
                       "MOLECULE_WORKSPACE_TOKEN": agent.token},
                      secrets=[agent.token, platform.admin_token], speed=speed)
        child.initialize()
        return child
    return start


def lose(proxy, ending):
    """Loses the responses to such calls; the platform still processes the requests."""
    proxy.plan(lambda method, path: "lose" if method == "POST" and path.endswith(ending) else None)


@pytest.fixture
def shown(platform, agent):
    """A function: the messages that the agent sent to the user, oldest first."""
    return lambda: [r["response_body"]["result"] for r in reversed(platform.activity(agent).body)
                    if r["method"] == "notify"]


def test_lesson_2_6_a_user_message_whose_response_was_lost_is_shown_once(start, proxy, shown):
    mcp = start()
    lose(proxy, "/notify")
    for _ in range(2):
        lost = mcp.call("send_message_to_user", message="done")
        assert lost.failed and "chat_history" in lost.text
    proxy.heal()
    assert not mcp.call("send_message_to_user", message="done").failed
    assert shown() == ["done"]
    # A successful call ends the repetition: the same text again is a new message.
    for message in ("done", "and more"):
        assert not mcp.call("send_message_to_user", message=message).failed
    assert shown() == ["done", "done", "and more"]


def test_lesson_2_6_a_reply_to_the_user_whose_response_was_lost_is_shown_once(start, proxy, shown, platform, agent):
    """Whichever process sends the next reply."""
    for text in ("first?", "second?"):
        assert platform.send(agent, text).status == 200
    mcp = start()
    first, second = (m["activity_id"] for m in mcp.wait_messages(2))
    lose(proxy, "/notify")
    assert mcp.call("reply", activity_id=first, text="yes").failed
    mcp.kill()
    proxy.heal()
    mcp = start()
    for activity_id in (first, second):
        assert not mcp.call("reply", activity_id=activity_id, text="yes").failed
    assert shown() == ["yes", "yes"] and mcp.call("inbox_peek").json == []


def test_lesson_2_6_different_files_make_a_different_message(mcp, fake, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text("x")
    fake.always("notify", RESET)
    for name in ("a", "a", "b"):
        assert mcp.call("send_message_to_user", message="see", attachments=[str(tmp_path / name)]).failed
    assert mcp.call("send_message_to_user", message="see").failed
    ids = [r.json["messageId"] for r in fake.seen("notify")]
    assert ids[0] == ids[1] and len(set(ids)) == 3


def test_lesson_2_6_a_task_repeated_after_a_kill_9_runs_once(start, proxy, platform, agent):
    """A key is valid for two minutes of wall-clock time; a run that crosses their end proves
    nothing."""
    ben = platform.create_workspace("Ben")

    def heard():
        return [text_of(row) for row in platform.activity(ben).body]

    for task in ("one", "another", "a third"):
        part = int(time.time()) // 120
        lose(proxy, "/delegate")
        mcp = start(speed=1)
        assert mcp.call("delegate_task_async", workspace_id=ben.id, task=task).failed
        mcp.kill()
        proxy.heal()
        mcp = start(speed=1)
        again = mcp.call("delegate_task_async", workspace_id=ben.id, task=task)
        if int(time.time()) // 120 == part:
            break
    assert not again.failed and "not sent a second time" in again.json["note"]
    later = mcp.call("delegate_task_async", workspace_id=ben.id, task=f"{task}, too").json
    assert later["delegation_id"] != again.json["delegation_id"]
    # Delegations are delivered in order.
    until(lambda: f"{task}, too" in heard(), what="the later task")
    assert heard().count(task) == 1
