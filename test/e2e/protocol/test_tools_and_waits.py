"""Tool lists that every client accepts; long waits (mcp-protocol.md 4 and 5)."""

import re
import time

import pytest

OLDER = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]


def tools(child):
    result = child.request("tools/list")["result"]
    assert "nextCursor" not in result
    return result["tools"]


@pytest.fixture
def listed(spawn):
    child = spawn()
    child.initialize("2025-11-25")
    return tools(child)


def test_4_names_and_schemas(listed):
    assert len({t["name"] for t in listed}) == len(listed) > 10
    for tool in listed:
        assert re.fullmatch(r"[a-z0-9_]{1,40}", tool["name"])
        assert 10 <= len(tool["description"]) <= 700, tool["name"]
        schema = tool["inputSchema"]
        assert schema["type"] == "object"
        assert not {"anyOf", "oneOf", "allOf", "$ref", "$defs", "definitions", "not"} & set(schema)
        assert "$ref" not in str(schema)
        properties = schema.get("properties", {})
        if not properties:
            assert schema.get("additionalProperties") is False, tool["name"]
        assert set(schema.get("required", [])) <= set(properties)
        for name, one in properties.items():
            # A card is the platform's own object; nothing else is nested.
            nested = (tool["name"], name) == ("update_agent_card", "card")
            assert (one["type"] == "object") == nested, name
            assert nested or one["type"] in ("string", "integer", "number", "boolean", "array"), name
            assert one["type"] != "array" or one["items"]["type"] == "string"


ARGUMENTS = {
    "delegate_task": ({"workspace_id", "task"}, set()), "delegate_task_async": ({"workspace_id", "task"}, set()),
    "check_task_status": ({"workspace_id", "task_id"}, {"offset"}), "list_peers": (set(), {"offset"}),
    "get_workspace_info": (set(), set()), "send_message_to_user": ({"message"}, {"attachments"}),
    "wait_for_message": (set(), {"timeout_secs"}), "inbox_peek": (set(), {"limit", "activity_id", "offset"}),
    "inbox_pop": ({"activity_id"}, set()), "commit_memory": ({"content"}, {"scope"}),
    "recall_memory": (set(), {"query", "scope", "id", "offset"}),
    "reply": ({"activity_id", "text"}, {"attachments"}),
    "chat_history": (set(), {"peer_id", "limit", "before_ts", "id", "offset"}),
    "update_agent_card": ({"card"}, set()), "broadcast_message": ({"message"}, set()),
    "get_runtime_identity": (set(), set()),
    "create_request": ({"kind", "title"}, {"detail", "recipient", "priority"}),
    "check_requests": (set(), {"request_id", "status"}),
    "respond_request": ({"request_id"}, {"action", "message"}), "cancel_request": ({"request_id"}, set())}


def test_6_the_argument_names(listed):
    for tool in listed:
        required, optional = ARGUMENTS[tool["name"]]
        schema = tool["inputSchema"]
        assert set(schema.get("required", [])) == required, tool["name"]
        assert set(schema.get("properties", {})) == required | optional, tool["name"]


def test_4_annotations_are_correct(listed):
    by_name = {t["name"]: t["annotations"] for t in listed}
    for name in ("check_task_status", "list_peers", "get_workspace_info", "wait_for_message", "inbox_peek",
                 "recall_memory"):
        assert by_name[name]["readOnlyHint"] is True, name
    for name in ("delegate_task", "delegate_task_async", "send_message_to_user", "inbox_pop", "commit_memory"):
        assert not by_name[name].get("readOnlyHint", False), name
    assert by_name["inbox_pop"]["idempotentHint"] is True
    for annotations in by_name.values():
        assert set(annotations) <= {"title", "readOnlyHint", "destructiveHint", "idempotentHint",
                                    "openWorldHint"}
        assert all(type(v) is bool for k, v in annotations.items() if k != "title")


def test_4_the_waiting_tool_is_always_loaded(listed):
    always = [t["name"] for t in listed if t.get("_meta", {}).get("anthropic/alwaysLoad") is True]
    assert "wait_for_message" in always and len(always) <= 3


def test_4_an_output_schema_is_of_type_object(listed):
    for tool in listed:
        assert tool.get("outputSchema", {"type": "object"})["type"] == "object"


FIELDS = {"2024-11-05": {"name", "description", "inputSchema"},
          "2025-03-26": {"name", "description", "inputSchema", "annotations"},
          "2025-06-18": {"name", "title", "description", "inputSchema", "outputSchema", "annotations", "_meta"},
          "2025-11-25": {"name", "title", "description", "inputSchema", "outputSchema", "annotations", "_meta",
                         "icons", "execution"}}


@pytest.mark.parametrize("version", OLDER)
def test_1_only_the_fields_of_the_revision_are_sent(spawn, version):
    child = spawn()
    info = child.initialize(version)["serverInfo"]
    allowed = {"name", "version"} | ({"title"} if version >= "2025-06-18" else set())
    assert set(info) <= allowed | ({"icons", "websiteUrl", "description"} if version == "2025-11-25" else set())
    for tool in tools(child):
        assert set(tool) <= FIELDS[version], tool["name"]
    result = child.call("inbox_peek").raw
    assert set(result) <= {"content", "isError"} | ({"structuredContent"} if version >= "2025-06-18" else set())


def test_4_the_tool_list_has_a_static_order_and_is_short(spawn):
    first, second = spawn(), spawn()
    first.initialize()
    second.initialize()
    assert tools(first) == tools(second) == tools(first)
    assert len(first.lines[1]) < 12_000


def test_5_progress_while_waiting(spawn):
    """At most every 15 s, with the caller's token, increasing, and none after the response."""
    speed = 20
    child = spawn(speed=speed)
    child.initialize()
    id = child.start_tool("wait_for_message", {"timeout_secs": 70}, meta={"progressToken": 0})
    child.tool_result(id)
    seen = child.notifications("notifications/progress")
    assert 3 <= len(seen) <= 5
    assert all(n["params"]["progressToken"] == 0 and type(n["params"]["progressToken"]) is int for n in seen)
    values = [n["params"]["progress"] for n in seen]
    assert values == sorted(set(values))
    assert child.messages[-1]["id"] == id
    child.ping()
    assert len(child.notifications("notifications/progress")) == len(seen)


@pytest.mark.parametrize("given", ["text", 7, "0", -1])
def test_5_progress_tokens_keep_their_type(spawn, given):
    child = spawn(speed=100)
    child.initialize()
    child.tool_result(child.start_tool("wait_for_message", {"timeout_secs": 40}, meta={"progressToken": given}))
    seen = child.notifications("notifications/progress")
    assert seen and all(n["params"]["progressToken"] == given and
                        type(n["params"]["progressToken"]) is type(given) for n in seen)


@pytest.mark.parametrize("meta", [None, {}, {"progressToken": None}, {"progressToken": {}},
                                  {"progressToken": [1]}, {"progressToken": 1.5}])
def test_5_no_progress_without_a_token(spawn, meta):
    child = spawn(speed=100)
    child.initialize()
    id = child.start_tool("wait_for_message", {"timeout_secs": 40}, meta=meta)
    child.wait_answer(id)
    assert child.notifications("notifications/progress") == []


def test_5_a_cancelled_wait_ends_at_once_and_consumes_nothing(mcp, fake):
    id = mcp.start_tool("wait_for_message", {"timeout_secs": 300})
    other = mcp.start_tool("wait_for_message", {"timeout_secs": 300})
    mcp.notify("notifications/cancelled", {"requestId": id})
    mcp.notify("notifications/cancelled", {"requestId": id})
    message = fake.add_message("for the other")
    assert mcp.tool_result(other).json["activity_id"] == message
    mcp.ping()
    assert mcp.answers(id) == []
    assert [m["activity_id"] for m in mcp.call("inbox_peek").json] == [message]


@pytest.mark.parametrize("wrong", ["1", 1.0, None, "unknown", 10**20])
def test_5_cancelling_another_id_cancels_nothing(mcp, fake, wrong):
    id = mcp.start_tool("wait_for_message", {"timeout_secs": 300}, id=1000)
    mcp.notify("notifications/cancelled", {"requestId": wrong})
    mcp.ping()
    fake.add_message("x")
    assert mcp.tool_result(id).json["text"] == "x"


def test_5_initialize_cannot_be_cancelled(spawn):
    child = spawn()
    child.send_raw(b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18",'
                   b'"capabilities":{},"clientInfo":{"name":"x","version":"1"}}}\n'
                   b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}\n')
    assert "result" in child.wait_answer(1)


def test_5_many_waits_end_in_time(spawn):
    child = spawn(speed=50)
    child.initialize()
    start = time.monotonic()
    calls = [child.start_tool("wait_for_message", {"timeout_secs": 30}) for _ in range(200)]
    for call in calls:
        assert child.tool_result(call).json["timeout"] is True
    assert time.monotonic() - start < 10
