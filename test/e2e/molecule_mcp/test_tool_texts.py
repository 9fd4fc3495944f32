"""What the list of tools costs, and what it says to a host that shows no instructions (A10)."""

import json

from support.fake_platform import PEER

MAX_TOKENS = 1600
CHARACTERS_PER_TOKEN = 4


def test_fault_A10_the_list_and_the_instructions_are_short(spawn):
    child = spawn()
    instructions = child.initialize("2025-11-25")["instructions"]
    listed = child.start("tools/list")
    child.wait_answer(listed)
    line = next(line for line in child.lines if json.loads(line).get("id") == listed)
    result = line.decode().partition('"result":')[2]
    tokens = (len(instructions) + len(result)) / CHARACTERS_PER_TOKEN
    assert tokens <= MAX_TOKENS, tokens


def test_fault_A10_the_descriptions_say_what_the_instructions_say(spawn):
    child = spawn()
    child.initialize()
    tools = {t["name"]: t for t in child.request("tools/list")["result"]["tools"]}
    says = {"wait_for_message": ["start of a turn", "canvas_user: your own user", "untrusted",
                                 "delegation_result", "open"],
            "reply": ["whoever wrote it", "task_id", "needs no reply", "inbox_pop"],
            "delegate_task": ["Queued", "do not repeat", "wait_for_message", "task_id"],
            "inbox_peek": ["with_another_session", "activity_id"]}
    for name, parts in says.items():
        for part in parts:
            assert part in tools[name]["description"], (name, part)
    always = {n for n, t in tools.items() if t.get("_meta", {}).get("anthropic/alwaysLoad")}
    assert always == {"wait_for_message", "inbox_peek", "reply"}


def test_fault_A14_no_result_of_the_real_process_is_long(spawn, fake):
    """A flood of everything that other people can fill, through the real wire."""
    fake.peers = [{"id": PEER[:-4] + f"{i:04}", "name": "n" * 60, "role": "r" * 60, "status": "online"}
                  for i in range(1000)]
    big = "\u6f22\"\n" * 100_000
    for _ in range(40):
        fake.add_message(big, source_id=PEER)
    child = spawn(speed=20)
    child.initialize("2025-11-25", "claude-code")
    calls = [("inbox_peek", {"limit": 100}), ("wait_for_message", {"timeout_secs": 5}), ("list_peers", {}),
             ("chat_history", {"peer_id": PEER})]
    child.wait_messages(1)
    for name, arguments in calls:
        raw = child.call(name, **arguments).raw
        size = len(raw.get("structuredContent") and json.dumps(raw["structuredContent"], ensure_ascii=False)
                   or "") + sum(len(c["text"].encode()) for c in raw["content"])
        assert size < 50_000, (name, size)
    pushes = child.wait_notifications("notifications/claude/channel")
    assert all(len(p["params"]["content"].encode()) < 10_000 for p in pushes)
    assert "inbox_peek" in pushes[0]["params"]["content"]
