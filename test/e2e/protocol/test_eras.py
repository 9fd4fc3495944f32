"""Both eras on the product, decided per message (mcp-protocol.md 1), and what each offers:
structured results, resources, prompts, completions, subscriptions."""

import json

import pytest

from support.mcp import DEADLINE

NEWEST = "2026-07-28"
VERSION, CAPABILITIES, CLIENT, SUBSCRIPTION = (
    "io.modelcontextprotocol/" + name
    for name in ("protocolVersion", "clientCapabilities", "clientInfo", "subscriptionId"))
SERVER = "io.modelcontextprotocol/serverInfo"
LOG_LEVEL = "io.modelcontextprotocol/logLevel"
OLDER = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
INBOX = "molecule://inbox"


def stateless(params=None, name="pytest", version=NEWEST, **more):
    """The params of a request of the newer era."""
    meta = {VERSION: version, CAPABILITIES: {}, CLIENT: {"name": name, "version": "1"}, **more}
    return {**(params or {}), "_meta": meta}


def ask(child, method, params=None, **more):
    """Sends a request of the newer era; returns its result, after checking the envelope, or its
    error."""
    answer = child.request(method, stateless(params, **more))
    if "error" in answer:
        return answer["error"]
    result = answer["result"]
    assert result["resultType"] == "complete", result
    assert result["_meta"][SERVER]["name"] == "molecule", result
    return result


@pytest.fixture(params=["initialize", "stateless"])
def era(request):
    return request.param


@pytest.fixture
def asked(spawn, era):
    """A child and a function that sends requests in one of the eras and returns result or error."""
    child = spawn(speed=20)
    if era == "stateless":
        return child, lambda method, params=None: ask(child, method, params)
    child.initialize("2025-11-25")

    def plain(method, params=None):
        answer = child.request(method, params)
        assert "resultType" not in answer.get("result", {}), answer
        return answer.get("result", answer.get("error"))

    return child, plain


# -- which era ---------------------------------------------------------------------------------------


def test_1_discover_describes_the_server(spawn):
    child = spawn()
    result = ask(child, "server/discover")
    assert NEWEST in result["supportedVersions"]
    assert {"tools", "resources", "prompts", "completions"} <= set(result["capabilities"])
    assert "wait_for_message" in result["instructions"]
    child.ping()


def test_1_a_probe_by_a_channel_host_falls_back(spawn, fake):
    child = spawn(speed=20)
    probe = child.request("server/discover", stateless(name="claude-code"))
    assert probe["error"]["code"] == -32601
    assert child.initialize("2025-11-25", client_name="claude-code")["protocolVersion"] == "2025-11-25"
    fake.add_message("wake up")
    pushed = child.wait_notifications("notifications/claude/channel")
    assert pushed[0]["params"]["content"]


@pytest.mark.parametrize("make", [dict, stateless])
def test_1_a_tool_call_may_be_the_first_line(spawn, make):
    child = spawn()
    answer = child.request("tools/call", make({"name": "inbox_peek", "arguments": {}}))
    assert answer["result"]["content"] == [{"type": "text", "text": "[]"}]


def test_1_both_eras_work_on_one_pipe(spawn):
    child = spawn()
    child.initialize("2025-06-18")
    for _ in range(3):
        new = ask(child, "tools/list")
        old = child.request("tools/list")["result"]
        assert [t["name"] for t in new["tools"]] == [t["name"] for t in old["tools"]]
        assert not {"resultType", "ttlMs", "cacheScope", "_meta"} & set(old)
    child.ping()


def test_1_both_eras_a_byte_at_a_time(spawn):
    child = spawn()
    lines = [{"jsonrpc": "2.0", "id": "new", "method": "tools/list", "params": stateless(name="ünï 🧪")},
             {"jsonrpc": "2.0", "id": "old", "method": "tools/list"}]
    for byte in b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines):
        child.send_raw(bytes([byte]))
    assert child.wait_answer("new")["result"]["resultType"] == "complete"
    assert "resultType" not in child.wait_answer("old")["result"]


@pytest.mark.parametrize("missing", [VERSION, CAPABILITIES])
def test_1_discover_without_the_required_meta(spawn, missing):
    params = stateless()
    del params["_meta"][missing]
    assert spawn().request("server/discover", params)["error"]["code"] == -32602


def test_1_a_request_without_capabilities(spawn):
    params = stateless()
    del params["_meta"][CAPABILITIES]
    assert spawn().request("tools/list", params)["error"]["code"] == -32602


@pytest.mark.parametrize("version", ["2099-01-01", "", "draft"])
def test_1_an_unknown_version_gets_the_supported_ones(spawn, version):
    error = ask(spawn(), "tools/list", version=version)
    assert error["code"] == -32022
    assert error["data"]["requested"] == version and NEWEST in error["data"]["supported"]


@pytest.mark.parametrize("method", ["ping", "logging/setLevel", "resources/subscribe",
                                    "resources/unsubscribe", "nothing"])
def test_1_methods_that_the_newer_era_removed(spawn, method):
    assert ask(spawn(), method, {"uri": INBOX, "level": "info"})["code"] == -32601


def test_1_a_batch_is_rejected_in_the_newer_era(spawn):
    child = spawn()
    child.send([{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": stateless()}])
    child.wait_until(lambda: child.flat(), "answer")
    assert child.flat()[0]["error"]["code"] == -32600


def test_1_the_command_line_chooses_an_era(spawn):
    older = spawn(args=["--era", "initialize"])
    assert older.request("server/discover", stateless())["error"]["code"] == -32601
    assert older.initialize("2025-11-25")["protocolVersion"] == "2025-11-25"
    newer = spawn(args=["serve", "--era=stateless"])
    assert "error" in newer.request("initialize", {"protocolVersion": "2025-11-25", "capabilities": {},
                                                   "clientInfo": {"name": "x", "version": "1"}})
    assert "result" in newer.request("server/discover", stateless(name="claude-code"))
    either = spawn(args=["--era", "auto"])
    assert "resultType" in ask(either, "tools/list")
    either.ping()


# -- lists -------------------------------------------------------------------------------------------


LISTS = ["tools/list", "resources/list", "resources/templates/list", "prompts/list"]


@pytest.mark.parametrize("method", LISTS)
def test_1_lists_state_how_long_they_may_be_cached(spawn, method):
    result = ask(spawn(), method)
    assert result["cacheScope"] == "public" and result["ttlMs"] > 0
    assert "nextCursor" not in result


@pytest.mark.parametrize("method", LISTS)
def test_3_a_bad_cursor_of_any_list(asked, method):
    _, request = asked
    assert request(method, {"cursor": "nothing"})["code"] == -32602


# -- structured results ------------------------------------------------------------------------------


PEER = "22222222-2222-4222-8222-222222222222"


def results(child, fake):
    """For each tool that returns data: its name, and results of every kind."""
    call = lambda name, **arguments: child.call(name, **arguments).raw
    fake.peers = [{"id": PEER, "name": "Ann", "role": "writer", "status": "online"}]
    yield "wait_for_message", call("wait_for_message", timeout_secs=0)
    id = fake.add_message("hello", PEER)
    yield "wait_for_message", call("wait_for_message", timeout_secs=60)
    yield "inbox_peek", call("inbox_peek")
    yield "inbox_pop", call("inbox_pop", activity_id=id)
    yield "inbox_pop", call("inbox_pop", activity_id=id)
    yield "list_peers", call("list_peers")
    yield "get_workspace_info", call("get_workspace_info")
    yield "delegate_task_async", call("delegate_task_async", workspace_id=PEER, task="a task")
    yield "check_task_status", call("check_task_status", workspace_id=PEER, task_id="")
    yield "check_task_status", call("check_task_status", workspace_id=PEER, task_id="unknown")
    yield "commit_memory", call("commit_memory", content="a fact")
    yield "recall_memory", call("recall_memory")


def test_4_data_results_are_structured(spawn, fake):
    child = spawn(speed=20)
    child.initialize("2025-11-25")
    seen = set()
    for name, result in results(child, fake):
        seen.add(name)
        assert isinstance(result["structuredContent"], dict), name
        assert not result.get("isError"), result
        text = result["content"][0]["text"]
        if text.startswith("{"):
            assert json.loads(text) == result["structuredContent"]
        if text.startswith("["):
            assert json.loads(text) == result["structuredContent"]["messages"]
    assert seen == {"wait_for_message", "inbox_peek", "inbox_pop", "list_peers", "get_workspace_info",
                    "delegate_task_async", "check_task_status", "commit_memory", "recall_memory"}


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26"])
def test_1_no_structured_content_in_older_revisions(spawn, fake, version):
    child = spawn(speed=20)
    child.initialize(version)
    for _, result in results(child, fake):
        assert set(result) <= {"content", "isError"}


def test_4_a_failure_has_no_structured_content(spawn, fake):
    from support.fake_platform import Reply
    fake.always("peers", Reply(500, {"error": "oops"}))
    child = spawn()
    child.initialize("2025-11-25")
    result = child.call("list_peers").raw
    assert result["isError"] is True and "structuredContent" not in result


# -- resources ---------------------------------------------------------------------------------------


def read(request, uri):
    result = request("resources/read", {"uri": uri})
    if "code" in result:
        return result
    [one] = result["contents"]
    assert one["uri"] == uri and one["mimeType"] == "application/json"
    return json.loads(one["text"])


def test_resources_show_the_same_as_the_tools(asked, fake):
    child, request = asked
    fake.peers = [{"id": PEER, "name": "Ann", "role": "writer", "status": "online"}]
    listed = {r["uri"] for r in request("resources/list")["resources"]}
    assert listed == {"molecule://workspace", "molecule://peers", INBOX}
    [template] = request("resources/templates/list")["resourceTemplates"]
    assert template["uriTemplate"] == "molecule://inbox/{activity_id}"
    assert read(request, INBOX) == {"messages": []}
    id = fake.add_message("good morning")
    [message] = child.wait_messages(1)
    assert read(request, INBOX) == {"messages": [message]}
    assert read(request, f"{INBOX}/{id}") == message
    assert read(request, "molecule://workspace")["name"] == "A workspace"
    assert [p["id"] for p in read(request, "molecule://peers")["peers"]] == [PEER]


def test_the_inbox_must_not_be_cached(spawn):
    result = ask(spawn(), "resources/read", {"uri": INBOX})
    assert result["cacheScope"] == "private" and result["ttlMs"] == 0


@pytest.mark.parametrize("uri", ["molecule://inbox/unknown", "molecule://nothing", "", "file:///etc/passwd"])
def test_1_a_missing_resource(asked, era, uri):
    _, request = asked
    assert read(request, uri)["code"] == (-32602 if era == "stateless" else -32002)


def test_a_resource_that_the_platform_fails_to_serve_says_why(asked, fake):
    from support.fake_platform import Reply
    fake.always("peers", Reply(500, {"error": "oops"}))
    _, request = asked
    assert "oops" in read(request, "molecule://peers")["error"]


def test_a_disabled_inbox_has_no_resource(spawn):
    child = spawn({"MOLECULE_MCP_DISABLE_INBOX": "1"})
    child.initialize("2025-11-25")
    listed = child.request("resources/list")["result"]["resources"]
    assert {r["uri"] for r in listed} == {"molecule://workspace", "molecule://peers"}
    assert child.request("prompts/get", {"name": "answer_inbox"})["error"]["code"] == -32602


# -- subscriptions -----------------------------------------------------------------------------------


UPDATED = "notifications/resources/updated"


def test_subscriptions_in_the_older_era(mcp, fake):
    mcp.request("resources/subscribe", {"uri": INBOX})
    id = fake.add_message("one")
    assert mcp.wait_notifications(UPDATED)[0]["params"] == {"uri": INBOX}
    mcp.request("resources/subscribe", {"uri": f"{INBOX}/{id}"})
    mcp.call("inbox_pop", activity_id=id)
    mcp.wait_notifications(UPDATED, 3)
    assert {n["params"]["uri"] for n in mcp.notifications(UPDATED)[1:]} == {INBOX, f"{INBOX}/{id}"}
    mcp.request("resources/unsubscribe", {"uri": INBOX})
    fake.add_message("two")
    mcp.wait_messages(1)
    mcp.ping()
    assert len(mcp.notifications(UPDATED)) == 3


def listen(child, id, **filters):
    child.start("subscriptions/listen", stateless({"notifications": filters}), id=id)
    child.wait_notifications("notifications/subscriptions/acknowledged", 1)


def updated(child):
    return sorted(n["params"]["uri"] for n in child.notifications(UPDATED))


@pytest.mark.parametrize("tool", ["inbox_pop", "reply"])
def test_a_subscriber_hears_what_another_session_removes(spawn, fake, era, tool):
    owner, other = spawn(speed=20), spawn(speed=20)
    owner.initialize()
    popped, kept = fake.add_message("answered by the owner"), fake.add_message("not answered")
    owner.wait_messages(2)
    other.initialize("2025-11-25")
    other.wait_messages(2)
    uris = [INBOX, f"{INBOX}/{popped}", f"{INBOX}/{kept}"]
    if era == "stateless":
        listen(other, "a", resourceSubscriptions=uris)
    else:
        for uri in uris:
            other.request("resources/subscribe", {"uri": uri})
    before = len(updated(other))
    arguments = {"text": "yes"} if tool == "reply" else {}
    assert not owner.call(tool, activity_id=popped, **arguments).failed
    other.wait_until(lambda: {INBOX, uris[1]} <= set(updated(other)[before:]), "what was popped")
    assert fake.add_message("one more")
    other.wait_messages(2)
    assert updated(other).count(uris[1]) == 1 and uris[2] not in updated(other)


def test_a_subscriber_hears_what_its_own_session_answers(mcp, fake):
    id = fake.add_message("a question")
    mcp.wait_messages(1)
    for uri in (INBOX, f"{INBOX}/{id}"):
        mcp.request("resources/subscribe", {"uri": uri})
    assert not mcp.call("reply", activity_id=id, text="yes").failed
    mcp.wait_until(lambda: updated(mcp) == [INBOX, f"{INBOX}/{id}"], "what was answered")


def test_1_listening_in_the_newer_era(spawn, fake):
    child = spawn(speed=20)
    listen(child, "a", resourceSubscriptions=[INBOX])
    child.start("subscriptions/listen", stateless({"notifications": {}}), id="b")
    child.wait_notifications("notifications/subscriptions/acknowledged", 2)
    fake.add_message("one")
    child.wait_notifications(UPDATED)
    child.wait_until(lambda: fake.rows, "the message")
    [seen] = child.notifications(UPDATED)
    assert seen["params"]["uri"] == INBOX
    assert seen["params"]["_meta"][SUBSCRIPTION] == "a"
    child.notify("notifications/cancelled", {"requestId": "a"})
    fake.add_message("two")
    until_two = lambda: len(json.loads(ask(child, "tools/call", {
        "name": "inbox_peek", "arguments": {}})["content"][0]["text"])) == 2
    child.wait_until(until_two, "the second message", DEADLINE)
    assert len(child.notifications(UPDATED)) == 1
    assert child.answers("a") == []


# -- prompts and completions -------------------------------------------------------------------------


def test_the_prompts(asked, fake):
    child, request = asked
    listed = {p["name"]: p for p in request("prompts/list")["prompts"]}
    assert set(listed) == {"answer_inbox", "delegate", "remember"}
    fake.add_message("what is new?")
    child.wait_messages(1)
    messages = request("prompts/get", {"name": "answer_inbox"})["messages"]
    assert "inbox_pop" in messages[0]["content"]["text"]
    shown = json.loads(messages[1]["content"]["resource"]["text"])
    assert shown["messages"][0]["text"] == "what is new?"
    [delegated] = request("prompts/get", {"name": "delegate", "arguments": {
        "task": "count the stars", "workspace_id": PEER}})["messages"]
    assert "count the stars" in delegated["content"]["text"] and PEER in delegated["content"]["text"]
    [remembered] = request("prompts/get", {"name": "remember", "arguments": {"scope": "TEAM"}})["messages"]
    assert "TEAM" in remembered["content"]["text"]


@pytest.mark.parametrize("params", [{"name": "nothing"}, {"name": "delegate"}, {},
                                    {"name": "delegate", "arguments": {"workspace_id": PEER}}])
def test_unknown_prompts_and_missing_arguments_are_errors(asked, params):
    _, request = asked
    assert request("prompts/get", params)["code"] == -32602


def complete(request, reference, name, value):
    kind = "ref/resource" if "uri" in reference else "ref/prompt"
    return request("completion/complete", {"ref": {"type": kind, **reference},
                                           "argument": {"name": name, "value": value}})


def test_completion_of_ids_and_scopes(asked, fake):
    other = "33333333-3333-4333-8333-333333333333"
    fake.peers = [{"id": PEER, "name": "Ann"}, {"id": other, "name": "Bob"}]
    child, request = asked
    peers = lambda value: complete(request, {"name": "delegate"}, "workspace_id", value)["completion"]["values"]
    assert peers("") == [PEER, other]
    assert peers("3333") == [other] and peers("ann") == [PEER] and peers("z") == []
    scopes = complete(request, {"name": "remember"}, "scope", "t")["completion"]
    assert scopes["values"] == ["TEAM"]
    id = fake.add_message("x")
    child.wait_messages(1)
    reference = {"uri": "molecule://inbox/{activity_id}"}
    assert complete(request, reference, "activity_id", id[:4])["completion"]["values"] == [id]
    assert complete(request, {"name": "nothing"}, "x", "")["code"] == -32602


# -- logging -----------------------------------------------------------------------------------------


LOGGED = "notifications/message"


def test_1_problems_are_logged_to_the_host(spawn, fake):
    from support.fake_platform import Reply
    fake.always("heartbeat", Reply(500, {"error": "oops"}))
    child = spawn(speed=100)
    child.initialize("2025-11-25")
    logged = child.wait_notifications(LOGGED)[0]["params"]
    assert logged["level"] == "warning" and logged["logger"] == "molecule" and logged["data"]
    assert child.request("logging/setLevel", {"level": "emergency"})["result"] == {}
    before = len(child.notifications(LOGGED))
    fake.next("heartbeat", 3)
    child.ping()
    assert len(child.notifications(LOGGED)) == before
    assert child.request("logging/setLevel", {"level": "loud"})["error"]["code"] == -32602


def test_1_a_request_of_the_newer_era_asks_for_its_own_log(spawn, fake):
    from support.fake_platform import Reply
    arguments = {"name": "delegate_task", "arguments": {"workspace_id": PEER, "task": "a task"}}
    child = spawn(speed=100)
    fake.script("a2a", Reply(reset=True))
    ask(child, "tools/call", arguments, **{LOG_LEVEL: "info"})
    logged = child.wait_notifications(LOGGED)[0]["params"]
    assert logged["level"] == "warning" and logged["logger"] == "delegation"
    fake.script("a2a", Reply(reset=True))
    ask(child, "tools/call", arguments)
    assert len(child.notifications(LOGGED)) == 1
