"""OpenAI's responses API, as Codex and openai-agents speak it."""

import json
import time

from model.conversation import Call, Conversation, Use, text_of

USAGE = {"input_tokens": 1, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 1,
         "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 2}


def functions(tools):
    """Pairs of a function's name and its namespace, if it has one."""
    for tool in tools or []:
        if tool.get("type") == "namespace":
            for function in tool["tools"]:
                yield function["name"], tool["name"]
        else:
            yield tool.get("name") or tool["type"], None


def offered(body):
    yield from functions(body.get("tools"))
    for item in items(body):
        if item.get("type") == "tool_search_output":
            yield from functions(item.get("tools"))


def items(body):
    given = body["input"]
    return given if isinstance(given, list) else [{"role": "user", "content": given}]


def read(body):
    seen = Conversation([name for name, _ in offered(body)])
    calls = {}
    for item in items(body):
        kind = item.get("type", "message")
        if kind == "function_call":
            calls[item["call_id"]] = (item["name"], json.loads(item["arguments"] or "{}"))
        elif kind == "function_call_output":
            name, arguments = calls.get(item["call_id"], ("", {}))
            seen.calls.append(Call(name, arguments, text_of(item["output"])))
        elif kind == "tool_search_call":
            seen.calls.append(Call("tool_search", {}, ""))
        elif kind == "message" and item.get("role") == "user":
            seen.texts.append(text_of(item["content"]))
    return seen


def item_of(step, body, number):
    if not isinstance(step, Use):
        part = {"type": "output_text", "text": step.text, "annotations": []}
        return {"type": "message", "id": f"msg_{number:04}", "role": "assistant",
                "status": "completed", "content": [part]}
    call = {"call_id": f"call_{number:04}", "status": "completed"}
    if step.name == "tool_search":
        return {**call, "type": "tool_search_call", "id": f"ts_{number:04}", "execution": "client",
                "arguments": {**step.arguments, "limit": 20}}
    namespace = dict(offered(body)).get(step.name)
    return {**call, "type": "function_call", "id": f"fc_{number:04}", "name": step.name,
            "arguments": json.dumps(step.arguments),
            **({"namespace": namespace} if namespace else {})}


def write(step, body, number):
    item = item_of(step, body, number)
    whole = {"id": f"resp_{number:04}", "object": "response", "created_at": int(time.time()),
             "model": body.get("model"), "status": "completed", "output": [item],
             "parallel_tool_calls": False, "tool_choice": "auto", "tools": [], "usage": USAGE}
    return whole, lambda: numbered(events(whole, item))


def numbered(given):
    for number, (kind, rest) in enumerate(given):
        yield kind, {"type": kind, "sequence_number": number, **rest}


def events(whole, item):
    started = {**item, "status": "in_progress"}
    place = {"item_id": item["id"], "output_index": 0}
    middle = []
    if item["type"] == "message":
        started["content"] = []
        text = item["content"][0]["text"]
        part, empty = {**place, "content_index": 0}, {**item["content"][0], "text": ""}
        middle = [("response.content_part.added", {**part, "part": empty}),
                  ("response.output_text.delta", {**part, "delta": text, "logprobs": []}),
                  ("response.output_text.done", {**part, "text": text, "logprobs": []})]
    elif item["type"] == "function_call":
        started["arguments"] = ""
        words = item["arguments"]
        middle = [("response.function_call_arguments.delta", {**place, "delta": words}),
                  ("response.function_call_arguments.done",
                   {**place, "name": item["name"], "arguments": words})]
    yield "response.created", {"response": {**whole, "status": "in_progress", "output": []}}
    yield "response.output_item.added", {"output_index": 0, "item": started}
    yield from middle
    yield "response.output_item.done", {"output_index": 0, "item": item}
    yield "response.completed", {"response": whole}
