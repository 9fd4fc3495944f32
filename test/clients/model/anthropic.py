"""Anthropic's messages API."""

import json

from model.conversation import Call, Conversation, Use, text_of

USAGE = {"input_tokens": 1, "output_tokens": 1}


def read(body):
    seen = Conversation([tool["name"] for tool in body.get("tools", [])])
    calls = {}
    for message in body["messages"]:
        content = message["content"]
        if isinstance(content, str):
            content = [{"type": "text", "text": content}]
        for block in content:
            if block["type"] == "tool_use":
                calls[block["id"]] = (block["name"], block["input"])
            elif block["type"] == "tool_result":
                name, arguments = calls.get(block["tool_use_id"], ("", {}))
                seen.calls.append(Call(name, arguments, text_of(block.get("content"))))
            elif block["type"] == "text" and message["role"] != "assistant":
                seen.texts.append(block["text"])
    return seen


def write(step, body, number):
    """The answer, and as pairs of an event's name and its data for a stream."""
    if isinstance(step, Use):
        block = {"type": "tool_use", "id": f"toolu_{number:04}", "name": step.name,
                 "input": step.arguments}
        empty, stop = {**block, "input": {}}, "tool_use"
    else:
        block = {"type": "text", "text": step.text}
        empty, stop = {**block, "text": ""}, "end_turn"
    whole = {"id": f"msg_{number:04}", "type": "message", "role": "assistant",
             "model": body.get("model"), "content": [block], "stop_reason": stop,
             "stop_sequence": None, "usage": USAGE}
    return whole, lambda: events(whole, block, empty, stop)


def events(whole, block, empty, stop):
    if block["type"] == "text":
        delta = {"type": "text_delta", "text": block["text"]}
    else:
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    started = {**whole, "content": [], "stop_reason": None}
    for kind, rest in (
            ("message_start", {"message": started}),
            ("content_block_start", {"index": 0, "content_block": empty}),
            ("content_block_delta", {"index": 0, "delta": delta}),
            ("content_block_stop", {"index": 0}),
            ("message_delta", {"delta": {"stop_reason": stop, "stop_sequence": None},
                               "usage": {"output_tokens": 1}}),
            ("message_stop", {})):
        yield kind, {"type": kind, **rest}
