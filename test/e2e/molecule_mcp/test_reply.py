"""The tools added later: reply, chat_history, update_agent_card, broadcast_message,
get_runtime_identity."""

import uuid

import pytest

from support.fake_platform import HTML, PEER, RESET, Reply, envelope


def waiting(mcp):
    return [m["activity_id"] for m in mcp.call("inbox_peek").json]


def test_reply_to_the_user_goes_to_the_chat_and_removes_the_message(mcp, fake, workspace_id, tmp_path):
    (tmp_path / "a.txt").write_text("x")
    question = fake.add_row(request_body=envelope("question", messageId="7-times-6"))
    id = question["id"]
    mcp.wait_messages(1)
    result = mcp.call("reply", activity_id=id, text="answer", attachments=[str(tmp_path / "a.txt")])
    assert not result.failed, result
    notify = fake.seen("notify")[0]
    assert notify.id == workspace_id and notify.json["message"] == "answer"
    assert notify.json["attachments"][0]["name"] == "a.txt"
    assert notify.json["in_reply_to"] == "7-times-6"
    assert waiting(mcp) == [] and fake.seen("a2a") == []


def test_reply_to_a_peer_goes_to_the_peer_and_removes_the_message(mcp, fake):
    id = fake.add_message("question", source_id=PEER)
    mcp.wait_messages(1)
    refused = mcp.call("reply", activity_id=id, text="answer", attachments=["/etc/hostname"])
    assert refused.failed and waiting(mcp) == [id]
    assert not mcp.call("reply", activity_id=id, text="answer").failed
    sent = fake.seen("a2a")[0]
    assert sent.id == PEER and sent.json["params"]["message"]["parts"][0]["text"] == "answer"
    assert waiting(mcp) == [] and fake.seen("notify") == []


@pytest.mark.parametrize("fault", [Reply(500), Reply(401), HTML, RESET,
                                   Reply(403, {"error": "talk_to_user_disabled", "hint": "switched off"})],
                         ids=["500", "401", "html", "reset", "403"])
def test_a_failed_reply_removes_nothing(mcp, fake, fault):
    id = fake.add_message("question")
    mcp.wait_messages(1)
    fake.always("notify", fault)
    result = mcp.call("reply", activity_id=id, text="answer")
    assert result.failed and waiting(mcp) == [id]
    if fault.status == 403:
        assert "switched off" in result.text
    fake.always("notify", None)
    assert not mcp.call("reply", activity_id=id, text="answer").failed
    again = mcp.call("reply", activity_id=id, text="answer")
    assert again.failed and "no such message" in again.text


def sent_ids(fake):
    return [r.json["params"]["message"]["messageId"] for r in fake.seen("a2a")]


def test_lesson_2_6_a_repeated_reply_is_the_same_message(spawn, fake):
    """Even from another process: the messageId is derived from the message and the text."""
    id = fake.add_message("question", source_id=PEER)
    other = fake.add_message("another", source_id=PEER)
    fake.always("a2a", RESET)
    mcp = spawn(speed=20)
    mcp.initialize()
    mcp.wait_messages(2)
    lost = mcp.call("reply", activity_id=id, text="answer")
    assert lost.failed and "exactly the same text" in lost.text and waiting(mcp) == [id, other]
    mcp.kill()
    fake.always("a2a", None)
    mcp = spawn(speed=20)
    mcp.initialize()
    assert not mcp.call("reply", activity_id=id, text="answer").failed
    assert len(set(sent_ids(fake))) == 1 and len(sent_ids(fake)) == 6
    uuid.UUID(sent_ids(fake)[0])
    assert not mcp.call("reply", activity_id=other, text="answer").failed
    assert len(set(sent_ids(fake))) == 2


def test_lesson_2_6_a_repeated_task_is_the_same_message(spawn, fake):
    mcp = spawn(speed=20)
    mcp.initialize()
    fake.always("a2a", RESET)
    for _ in range(2):
        assert mcp.call("delegate_task", workspace_id=PEER, task="once").failed
    fake.always("a2a", None)
    assert not mcp.call("delegate_task", workspace_id=PEER, task="once").failed
    assert len(set(sent_ids(fake))) == 1
    for task in ("once", "another"):
        assert not mcp.call("delegate_task", workspace_id=PEER, task=task).failed
    assert len(set(sent_ids(fake))) == 3


def test_reply_to_the_user_with_an_unknown_outcome_says_so(mcp, fake):
    id = fake.add_message("question")
    mcp.wait_messages(1)
    fake.always("notify", RESET)
    lost = mcp.call("reply", activity_id=id, text="answer")
    assert lost.failed and "may have been sent" in lost.text


def test_lesson_2_12_only_the_session_that_holds_a_message_can_answer_it(spawn, fake):
    first, second = spawn(), spawn()
    for mcp in (first, second):
        mcp.initialize()
    id = fake.add_message("question", source_id=PEER)
    assert first.call("wait_for_message", timeout_secs=30).json["activity_id"] == id
    refused = second.call("reply", activity_id=id, text="mine")
    assert refused.failed and "another session" in refused.text and fake.seen("a2a") == []
    first.kill()
    assert not second.call("reply", activity_id=id, text="mine").failed
    assert len(fake.seen("a2a")) == 1 and waiting(second) == []
    # Any session may pop; pops are idempotent.
    assert second.call("inbox_pop", activity_id=id).json["removed"] is False


@pytest.fixture
def two(spawn, platform, tmp_path):
    """Two agents on the real platform, each with its own session."""
    def start(name):
        agent = platform.create_workspace(name)
        child = spawn({"PLATFORM_URL": platform.url, "WORKSPACE_ID": agent.id,
                       "MOLECULE_WORKSPACE_TOKEN": agent.token,
                       "CONFIGS_DIR": str(tmp_path / name)},
                      secrets=[agent.token, platform.admin_token], speed=10)
        child.initialize()
        return child, agent
    return start("Ada"), start("Ben")


def heard(mcp):
    return mcp.call("wait_for_message", timeout_secs=100).json


def test_lesson_2_7_a_queued_answer_says_which_task_it_answers(two):
    (ada, ada_agent), (ben, ben_agent) = two
    task = "How much is 6 times 7?\n" + "x" * 200
    queued = ada.call("delegate_task", workspace_id=ben_agent.id, task=task)
    started = ada.call("delegate_task_async", workspace_id=ben_agent.id, task="And 2 times 2?").json
    for answer in ("42", "4"):
        asked = heard(ben)
        assert asked["peer_name"] == "Ada"
        assert "task" not in asked and "task_id" not in asked
        assert not ben.call("reply", activity_id=asked["activity_id"], text=answer).failed
    first = heard(ada)
    assert first["text"] == "42" and first["kind"] == "delegation_result" and first["peer_name"] == "Ben"
    assert first["task"] == ("How much is 6 times 7? " + "x" * 200)[:100]
    assert first["task_id"] in queued.text
    ada.call("inbox_pop", activity_id=first["activity_id"])
    second = heard(ada)
    assert (second["text"], second["task"]) == ("4", "And 2 times 2?")
    assert second["task_id"] == started["delegation_id"]


def test_lesson_2_7_no_other_peer_can_answer_a_task(mcp, fake):
    mcp.call("delegate_task", workspace_id=PEER, task="secret")
    [id] = sent_ids(fake)
    card = "https://platform.example/card"
    for source, url in ((str(uuid.uuid4()), card), (PEER, "javascript:alert(1)")):
        body = envelope("forged")
        body["params"]["message"]["metadata"] = {"in_reply_to": id}
        fake.add_row(request_body=body, source_id=source, method="message/send",
                     agent_card_url=url)
    mcp.wait_messages(2)
    other, peer = mcp.call("inbox_peek").json
    assert "task" not in other and "task_id" not in other and other["agent_card_url"] == card
    assert peer["task"] == "secret" and peer["task_id"] == id and "agent_card_url" not in peer


def test_lesson_4_a_listed_peer_is_named_without_another_request(mcp, fake):
    fake.always("peers", Reply(body=[{"id": PEER, "name": "Зоя", "role": "writer", "status": "online"}]))
    mcp.call("list_peers")
    fake.add_message("hi", source_id=PEER)
    mcp.wait_messages(1)
    [message] = mcp.call("inbox_peek").json
    assert message["peer_name"] == "Зоя" and message["peer_role"] == "writer"
    assert len(fake.seen("peers")) == 1


def test_lesson_2_7_a_long_result_is_fetched_completely(two, platform):
    (ada, agent), (_, ben) = two
    id, whole = str(uuid.uuid4()), "ж" * 5000 + "the end"
    path = f"/workspaces/{agent.id}/delegations"
    platform.request("POST", f"{path}/record", agent.token,
                     json={"target_id": ben.id, "task": "long", "delegation_id": id})
    platform.request("POST", f"{path}/{id}/update", agent.token,
                     json={"status": "completed", "response_preview": whole})
    status = ada.call("check_task_status", workspace_id=ben.id, task_id=id.upper()).json
    assert status["response"] == whole and status["status"] == "completed"
    assert status["response_preview"].endswith("...")


def test_chat_history_of_the_user_and_of_a_peer(mcp, fake, workspace_id):
    fake.always("history", Reply(body={"messages": [{"id": "1:user", "role": "user", "content": "hi"}],
                                       "reached_end": True}))
    result = mcp.call("chat_history", limit=7, before_ts="2026-05-01T00:00:00Z")
    assert result.json["messages"][0]["content"] == "hi"
    query = fake.seen("history")[0].query
    assert query == {"limit": "7", "before_ts": "2026-05-01T00:00:00Z"}
    fake.add_message("from the peer", source_id=PEER)
    fake.add_message("from somebody else", source_id=str(uuid.uuid4()))
    result = mcp.call("chat_history", peer_id=PEER.upper())
    assert [row["source_id"] for row in result.json["messages"]] == [PEER]
    asked = fake.wait_for("activity", where=lambda r: "peer_id" in r.query)[0]
    assert asked.query["peer_id"] == PEER
    for wrong in ({"peer_id": "x"}, {"before_ts": "yesterday"}):
        assert mcp.call("chat_history", **wrong).failed


def test_update_agent_card(mcp, fake, workspace_id):
    assert not mcp.call("update_agent_card", card={"name": "New", "skills": []}).failed
    sent = fake.seen("update_card")[0].json
    assert sent == {"workspace_id": workspace_id, "agent_card": {"name": "New", "skills": []}}
    assert mcp.call("update_agent_card", card="text").failed and len(fake.seen("update_card")) == 1


@pytest.mark.parametrize("reply,words", [
    (Reply(403, {"error": "broadcast_disabled", "hint": "ask an admin"}), "ask an admin"),
    (Reply(402, {"error": "budget"}), "budget"), (Reply(413, {"error": "too long"}), "too long"),
    (Reply(429, {"error": "slow down"}, {"Retry-After": "7"}), "7 s"), (HTML, "PLATFORM_URL")],
    ids=["403", "402", "413", "429", "html"])
def test_broadcast_and_its_failures(mcp, fake, reply, words):
    result = mcp.call("broadcast_message", message="all hands")
    assert not result.failed and "2" in result.text
    assert fake.seen("broadcast")[0].json == {"message": "all hands"}
    fake.always("broadcast", reply)
    refused = mcp.call("broadcast_message", message="all hands")
    assert refused.failed and words in refused.text and "edge-page-marker" not in refused.text


def test_get_runtime_identity(mcp, workspace_id, fake):
    identity = mcp.call("get_runtime_identity").json
    assert identity["runtime"] == "molecule-mcp" and identity["version"]
    [one] = identity["workspaces"]
    assert one["workspace_id"] == workspace_id and one["platform_url"] == fake.url
    assert one["agent_card"]["name"].startswith("molecule-mcp-")


def test_lesson_2_6_a_repeated_tool_use_has_one_key_even_after_a_restart(spawn, fake):
    for _ in range(2):
        mcp = spawn(speed=20)
        mcp.initialize()
        id = mcp.start_tool("delegate_task_async", {"workspace_id": PEER, "task": "once"},
                            meta={"claudecode/toolUseId": "toolu_01"})
        assert not mcp.tool_result(id).failed
        mcp.kill()
    keys = [r.json["idempotency_key"] for r in fake.seen("delegate")]
    assert len(keys) == 2 and keys[0] == keys[1]
