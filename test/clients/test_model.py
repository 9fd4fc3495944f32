"""The scripted model, the log and the report, without any host: pytest test/clients."""

import json

import pytest

import report
from model import anthropic, chat, gemini, responses
from model.conversation import Call, Conversation, Say, Use, objects_in, offered_name
from model.script import DONE, Model
from wire import Wire

NAMES = ["mcp__molecule__" + tool for tool in (
    "wait_for_message", "list_peers", "delegate_task", "reply", "send_message_to_user",
    "inbox_pop", "inbox_peek")]
PERSON, TASK, ANSWER, PEER = (f"{digit * 8}-1111-4111-8111-111111111111" for digit in "abcd")


def given(id, text, kind, **more):
    return json.dumps({"activity_id": id, "text": text, "kind": kind, **more})


ASKED = given(PERSON, "Ask beta: Why?", "canvas_user")
STOP = given(ANSWER, "STOP", "canvas_user")
ANSWERED = given(ANSWER, "Because.", "delegation_result", task_id=TASK)


def play(*results, model=Model()):
    """The steps of a model whose calls give these results, one after the other."""
    conversation, steps = Conversation(NAMES), []
    for result in (*results, None):
        steps.append(model.step(conversation))
        if isinstance(steps[-1], Say) or result is None:
            return steps
        conversation.calls.append(Call(steps[-1].name, steps[-1].arguments, result))
    return steps


def tools(steps):
    return [step.name.removeprefix("mcp__molecule__") if isinstance(step, Use) else step.text
            for step in steps]


def test_a_whole_turn():
    steps = play(ASKED, f"- beta (ID: {PEER}, status: online)", f"Queued, task_id {TASK}", ANSWERED,
                 "Sent.", "Removed.", "Sent.")
    assert tools(steps) == ["wait_for_message", "list_peers", "delegate_task", "wait_for_message",
                            "reply", "inbox_pop", "send_message_to_user", DONE]
    assert steps[2].arguments == {"workspace_id": PEER, "task": "Why?"}
    assert steps[4].arguments == {"activity_id": PERSON, "text": "beta says: Because."}
    assert steps[5].arguments == {"activity_id": ANSWER}


def test_a_message_given_again_is_nothing_new():
    steps = play(ASKED, f"beta {PEER}", f"Queued, task_id {TASK}", ASKED, ASKED, ASKED,
                 model=Model(idle_waits=3))
    assert tools(steps)[3:6] == ["wait_for_message"] * 3
    assert steps[6].text.startswith("Nothing more came.")


def test_an_answer_without_the_task_id_is_no_answer():
    steps = play(ASKED, f"beta {PEER}", f"Queued, task_id {TASK}",
                 given(ANSWER, "Because.", "peer_agent"))
    assert tools(steps)[4] == "wait_for_message"


def test_a_second_message_is_answered_first():
    steps = play(ASKED, f"beta {PEER}", f"Queued, task_id {TASK}", STOP, "Sent.")
    assert steps[4].arguments["activity_id"] == ANSWER
    assert tools(steps)[5] == "wait_for_message"


def test_a_search_finds_names_and_not_words_of_descriptions():
    found = Call("tool_search", {}, '{"name": "mcp__molecule__list_peers", "description": "reply"}')
    conversation = Conversation(["tool_search"], [found])
    assert offered_name(conversation, "list_peers") == "mcp__molecule__list_peers"
    assert offered_name(conversation, "reply") is None


def test_objects_inside_strings_are_found():
    wrapped = "Output: " + json.dumps({"content": [{"text": ASKED}]})
    assert PERSON in [found.get("activity_id") for found in objects_in(wrapped)]


@pytest.mark.parametrize("wire, body, result", [
    (anthropic, {"tools": [{"name": NAMES[0]}], "messages": []},
     lambda m: [{"role": m["role"], "content": m["content"]}, {"role": "user", "content": [
         {"type": "tool_result", "tool_use_id": m["content"][0]["id"], "content": "seen"}]}]),
    (chat, {"tools": [{"type": "function", "function": {"name": NAMES[0]}}], "messages": []},
     lambda m: [m["choices"][0]["message"], {
         "role": "tool", "content": "seen",
         "tool_call_id": m["choices"][0]["message"]["tool_calls"][0]["id"]}]),
    (responses, {"tools": [{"type": "function", "name": NAMES[0]}], "input": []},
     lambda m: [*m["output"], {"type": "function_call_output", "output": "seen",
                               "call_id": m["output"][0]["call_id"]}]),
    (gemini, {"tools": [{"functionDeclarations": [{"name": NAMES[0]}]}], "contents": []},
     lambda m: [m["candidates"][0]["content"], {"role": "user", "parts": [
         {"functionResponse": {"name": NAMES[0], "response": {"output": "seen"}}}]}]),
])
def test_each_wire_format_carries_a_call_and_its_result(wire, body, result):
    step = Use(NAMES[0], {"timeout_secs": 1})
    whole, events = wire.write(step, body, 1)
    assert list(events())
    place = next(key for key in ("messages", "input", "contents") if key in body)
    seen = wire.read({**body, place: result(whole)})
    assert seen.tools == NAMES[:1]
    assert [(c.name, c.arguments) for c in seen.calls] == [(step.name, step.arguments)]
    assert "seen" in seen.calls[0].result


def test_what_the_agent_holds_is_not_given_again(tmp_path):
    held = {"activity_id": PERSON, "kind": "canvas_user", "from": "user", "text": "Ask beta: Why?"}
    wait = given(ANSWER, "Because.", "delegation_result", created_at="2026-11-28", open=[held])
    log = tmp_path / "wire.jsonl"
    log.write_text("".join(json.dumps({"from": 1, side: json.dumps(message)}) + "\n"
                           for side, message in (
        ("host", {"id": 1, "method": "tools/call", "params": {"name": "wait_for_message"}}),
        ("server", {"id": 1, "result": {"content": [{"type": "text", "text": wait}]}}))))
    assert [m["activity_id"] for m in Wire(log).messages_handed_out()] == [ANSWER]


def test_the_report_replaces_its_block_only(tmp_path):
    page = tmp_path / "hosts.md"
    page.write_text(f"before\n{report.BEGIN}old\n{report.END}\nafter\n")
    report.write(page, "new\n")
    assert page.read_text() == f"before\n{report.BEGIN}new\n{report.END}\nafter\n"
