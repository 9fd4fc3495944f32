"""Handled rows are acknowledged to the platform (platform-api.md 10): after the pops, never
twice, and only once to an older platform."""

from support.fake_platform import Reply
from support.platform import until


def last_acked(platform, workspace):
    """Acknowledges nothing, which returns the highest acknowledged number."""
    return platform.request("POST", f"/workspaces/{workspace.id}/activity/ack", workspace.token,
                            {"acked_seq": 0}).body["last_acked_seq"]


def test_5_removed_messages_are_acknowledged_to_the_platform(spawn, platform):
    agent = platform.create_workspace("agent")
    child = spawn({"WORKSPACE_ID": agent.id, "MOLECULE_WORKSPACE_TOKEN": agent.token,
                   "PLATFORM_URL": platform.url}, speed=10, secrets=[agent.token])
    child.initialize()
    for text in ("one", "two", "three"):
        platform.send(agent, text)
    messages = child.wait_messages(3)
    rows = {row["id"]: row["seq"] for row in platform.activity(agent, type="a2a_receive").body}
    numbers = [rows[m["activity_id"]] for m in messages]
    until(lambda: last_acked(platform, agent) == numbers[0] - 1, what="nothing is handled")
    child.call("inbox_pop", activity_id=messages[1]["activity_id"])
    child.call("inbox_pop", activity_id=messages[0]["activity_id"])
    until(lambda: last_acked(platform, agent) == numbers[2] - 1, what="two are handled")
    child.call("inbox_pop", activity_id=messages[2]["activity_id"])
    until(lambda: last_acked(platform, agent) == numbers[2], what="all are handled")


def test_5_only_the_owner_acknowledges_and_only_new_rows(spawn, fake):
    owner = spawn(speed=20)
    owner.initialize()
    fake.wait_for("activity")
    other = spawn(speed=20)
    other.initialize()
    ids = [fake.add_message(str(n), seq=n) for n in (10, 20, 30)]
    other.wait_messages(3)
    assert fake.wait_for("acknowledge")[-1].json == {"acked_seq": 9}
    for id in ids:
        assert other.call("inbox_pop", activity_id=id).json["removed"]
    fake.wait_for("acknowledge", where=lambda r: r.json == {"acked_seq": 30})
    acked = [r.json["acked_seq"] for r in fake.seen("acknowledge")]
    assert acked == sorted(set(acked))
    fake.next("activity", 4)
    assert len(fake.seen("acknowledge")) == len(acked)


def test_5_an_older_platform_is_asked_only_once(spawn, fake):
    fake.always("acknowledge", Reply(404, "404 page not found"))
    child = spawn({"MOLECULE_MCP_VERBOSE": "1"}, speed=20)
    child.initialize()
    first = fake.add_message("one", seq=5)
    fake.wait_for("acknowledge")
    second = fake.add_message("two", seq=6)
    child.wait_messages(2)
    for id in (first, second):
        child.call("inbox_pop", activity_id=id)
    fake.next("activity", 4)
    assert [r.json for r in fake.seen("acknowledge")] == [{"acked_seq": 4}]
    # A workspace's id may have "404" in it.
    assert "HTTP 404" not in child.stderr_text and "not found" not in child.stderr_text
    assert "acked" not in child.stderr_text


def test_5_a_hanging_acknowledgement_delays_nothing(spawn, fake):
    fake.always("acknowledge", Reply(hang=True))
    child = spawn(speed=20)
    child.initialize()
    fake.add_message("one", seq=5)
    hanging = fake.wait_for("acknowledge")[-1]
    polls = fake.next("activity", 2)
    assert (polls.time - hanging.time) * 20 < 15
    assert child.ping() < 5
