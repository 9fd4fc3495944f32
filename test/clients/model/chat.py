"""OpenAI's chat completions API, which most hosts can speak."""

import json
import time

from model.conversation import Call, Conversation, Use, text_of

USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}


def read(body):
    seen = Conversation([tool["function"]["name"] for tool in body.get("tools") or []
                         if "function" in tool])
    calls = {}
    for message in body["messages"]:
        if message["role"] == "assistant":
            for call in message.get("tool_calls") or []:
                calls[call["id"]] = unwrapped(call["function"])
        elif message["role"] == "tool":
            name, arguments = calls.get(message["tool_call_id"], ("", {}))
            seen.calls.append(Call(name, arguments, text_of(message["content"])))
        elif message["role"] == "user":
            seen.texts.append(text_of(message["content"]))
    return seen


def unwrapped(function):
    """The tool that was meant: a host with a tool `tool_call` takes the real call inside it."""
    arguments = json.loads(function["arguments"] or "{}")
    if function["name"] == "tool_call":
        name = arguments.get("id") or arguments.get("name") or ""
        return name, next((v for v in arguments.values() if isinstance(v, dict)), {})
    return function["name"], arguments


def wrapped(step, body):
    """The same by the names that the host's `tool_call` declares."""
    functions = {tool["function"]["name"]: tool["function"] for tool in body.get("tools") or []
                 if "function" in tool}
    if not isinstance(step, Use) or step.name in functions or "tool_call" not in functions:
        return step
    declared = functions["tool_call"]["parameters"]["properties"]
    name = "id" if "id" in declared else "name"
    inner = next((key for key in ("args", "arguments", "params") if key in declared), "input")
    return Use("tool_call", {name: step.name, inner: step.arguments})


def write(step, body, number):
    step = wrapped(step, body)
    delta = {"role": "assistant", "content": None if isinstance(step, Use) else step.text}
    if isinstance(step, Use):
        function = {"name": step.name, "arguments": json.dumps(step.arguments)}
        delta["tool_calls"] = [{"id": f"call_{number:04}", "type": "function",
                                "function": function}]
    finish = "tool_calls" if isinstance(step, Use) else "stop"
    head = {"id": f"chat_{number:04}", "created": int(time.time()), "model": body.get("model")}
    whole = {**head, "object": "chat.completion", "usage": USAGE,
             "choices": [{"index": 0, "message": delta, "finish_reason": finish}]}
    return whole, lambda: events({**head, "object": "chat.completion.chunk"}, delta, finish)


def events(head, delta, finish):
    pieces = [{**call, "index": 0} for call in delta.get("tool_calls", [])]
    if pieces:
        delta = {**delta, "tool_calls": pieces}
    yield None, {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield None, {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}
    yield None, {**head, "choices": [], "usage": USAGE}
    yield None, "[DONE]"
