"""Bad input is answered, and the server keeps running (mcp-protocol.md 3)."""

import json
import random

import pytest

PARSE, REQUEST, METHOD, PARAMS = -32700, -32600, -32601, -32602


def answer_to(child, line):
    """The only response to a line, as proved by the ping after it."""
    child.send_raw(line + b"\n")
    ping = child.start("ping", id="after")
    child.wait_answer(ping)
    before = [m for m in child.messages if not isinstance(m, dict) or m.get("id") != "after"]
    assert len(before) == 1, before
    return before[0]


NOT_JSON = {
    "text": b"hello", "truncated": b'{"jsonrpc":"2.0","id":1,"method":"ping"', "two values": b"{} {}",
    "single quotes": b"{'jsonrpc':'2.0'}", "trailing comma": b'{"jsonrpc":"2.0","id":1,"method":"ping",}',
    "control character": b'{"jsonrpc":"2.0","id":1,"method":"pi\x01ng"}', "nul": b"\x00",
    "nul inside": b'{"jsonrpc":"2.0","id":1,"method":"ping"}\x00', "latin-1": b'{"jsonrpc":"2.0","id":1,"method":"\xe9"}',
    "overlong": b'{"jsonrpc":"2.0","id":"\xc0\x80","method":"ping"}', "surrogate bytes": b'{"a":"\xed\xa0\x80"}',
    "cut character": b'{"jsonrpc":"2.0","id":1,"method":"\xf0\x9f"}', "NaN": b'{"jsonrpc":"2.0","id":NaN,"method":"ping"}',
    "http": b"GET / HTTP/1.1", "utf-16": '{"jsonrpc":"2.0","id":1,"method":"ping"}'.encode("utf-16-le"),
    "deep array": b"[" * 200_000, "deep closed array": b"[" * 5000 + b"]" * 5000,
    "deep object": b'{"a":' * 5000 + b"1" + b"}" * 5000,
}


@pytest.mark.parametrize("case", NOT_JSON)
def test_3_a_line_that_is_not_json(spawn, case):
    answer = answer_to(spawn(), NOT_JSON[case])
    assert answer["error"]["code"] == PARSE and answer["id"] is None


INVALID = {
    "number": b"7", "string": b'"ping"', "null": b"null", "true": b"true", "empty object": b"{}",
    "no jsonrpc": b'{"id":1,"method":"ping"}', "jsonrpc 1.0": b'{"jsonrpc":"1.0","id":1,"method":"ping"}',
    "jsonrpc number": b'{"jsonrpc":2.0,"id":1,"method":"ping"}',
    "method number": b'{"jsonrpc":"2.0","id":1,"method":7}', "method null": b'{"jsonrpc":"2.0","id":1,"method":null}',
    "id null": b'{"jsonrpc":"2.0","id":null,"method":"ping"}',
    "id fraction": b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', "id true": b'{"jsonrpc":"2.0","id":true,"method":"ping"}',
    "id array": b'{"jsonrpc":"2.0","id":[1],"method":"ping"}', "id object": b'{"jsonrpc":"2.0","id":{},"method":"ping"}',
    "empty array": b"[]",
    "array of numbers": b"[1,2]",
}


@pytest.mark.parametrize("case", INVALID)
def test_3_json_that_is_not_a_request(spawn, case):
    answer = answer_to(spawn(), INVALID[case])
    assert answer["error"]["code"] == REQUEST
    assert answer["id"] in (None, 1)


def test_3_a_batch_is_rejected_in_a_revision_without_batches(spawn):
    child = spawn()
    child.initialize("2025-06-18")
    child.send_raw(b'[{"jsonrpc":"2.0","id":"a","method":"ping"}]\n')
    assert child.wait_line(2)["error"]["code"] == REQUEST


def test_1_a_batch_is_answered_as_an_array_in_2025_03_26(spawn, fake):
    child = spawn(speed=20)
    child.initialize("2025-03-26")
    batch = [{"jsonrpc": "2.0", "id": "a", "method": "ping"}, {"jsonrpc": "2.0", "method": "notifications/x"},
             {"jsonrpc": "2.0", "id": "b", "method": "tools/call",
              "params": {"name": "wait_for_message", "arguments": {"timeout_secs": 5}}},
             {"jsonrpc": "2.0", "id": "c", "method": "nothing"}, 7,
             {"jsonrpc": "2.0", "id": "d", "method": "initialize", "params": {}}]
    child.send(batch)
    child.ping()
    child.wait_until(lambda: any(isinstance(m, list) for m in child.messages), "batch answer")
    answers = next(m for m in child.messages if isinstance(m, list))
    by_id = {m["id"]: m for m in answers}
    assert len(answers) == 5 and set(by_id) == {"a", "b", "c", None, "d"}
    assert by_id["a"]["result"] == {} and "timeout" in by_id["b"]["result"]["content"][0]["text"]
    assert by_id["c"]["error"]["code"] == METHOD and by_id[None]["error"]["code"] == REQUEST
    assert by_id["d"]["error"]["code"] == REQUEST
    child.send([{"jsonrpc": "2.0", "method": "notifications/x"}])
    child.send([])
    child.wait_until(lambda: child.messages[-1].get("id", 0) is None if isinstance(child.messages[-1], dict)
                     else False, "refusal of an empty batch")
    assert child.messages[-1]["error"]["code"] == REQUEST


@pytest.mark.parametrize("params", ["7", '"x"', "true", "null", "[]", "[1]"])
@pytest.mark.parametrize("method", ["ping", "tools/list", "tools/call"])
def test_3_params_of_the_wrong_type(spawn, method, params):
    line = f'{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}'.encode()
    answer = answer_to(spawn(), line)
    assert answer["id"] == 1
    if "error" in answer:
        assert answer["error"]["code"] in (REQUEST, PARAMS)
    else:
        assert params in ("null", "[]") and method != "tools/call"


@pytest.mark.parametrize("method", ["nothing", "", "tools/nothing", "sampling/createMessage", "roots/list",
                                    "tasks/list", "rpc.discover", "tools/call ", "x" * 100_000, "👋"])
def test_3_an_unknown_method(spawn, method):
    answer = answer_to(spawn(), json.dumps({"jsonrpc": "2.0", "id": 1, "method": method}).encode())
    assert answer["id"] == 1 and answer["error"]["code"] == METHOD
    assert len(json.dumps(answer)) < 1000


SILENT = [b'{"jsonrpc":"2.0","method":"notifications/nothing"}', b'{"jsonrpc":"2.0","method":"nothing"}',
          b'{"jsonrpc":"2.0","method":"ping"}', b'{"jsonrpc":"2.0","method":"tools/list"}',
          b'{"jsonrpc":"2.0","method":"tools/call","params":{"name":"list_peers"}}',
          b'{"jsonrpc":"2.0","method":"notifications/initialized"}',
          b'{"jsonrpc":"2.0","method":"notifications/initialized","params":7}',
          b'{"jsonrpc":"2.0","method":"notifications/cancelled"}',
          b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"unknown"}}',
          b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":null}}',
          b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":[]}',
          b'{"jsonrpc":"2.0","method":"notifications/progress","params":{}}',
          b'{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}',
          b'{"jsonrpc":"2.0","id":77,"result":{}}', b'{"jsonrpc":"2.0","id":"x","error":{"code":1,"message":"m"}}',
          b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"m"}}', b"", b"   "]


@pytest.mark.parametrize("line", SILENT, ids=lambda line: line.decode()[16:60])
def test_3_no_answer_to_notifications_and_responses(spawn, fake, line):
    child = spawn()
    child.send_raw(line + b"\n")
    child.ping()
    assert len(child.lines) == 1
    assert fake.seen("peers") == []


@pytest.mark.parametrize("params", [
    {"name": "nothing"}, {"name": ""}, {"name": "LIST_PEERS"}, {"name": 7}, {"name": None}, {},
    {"name": "list_peers", "arguments": 7}, {"name": "list_peers", "arguments": []},
    {"name": "list_peers", "arguments": "x"}])
def test_3_an_unknown_tool_or_wrong_arguments_object(spawn, params):
    assert spawn().request("tools/call", params)["error"]["code"] == PARAMS


@pytest.mark.parametrize("cursor", ["nothing", " ", 7, {}])
def test_3_a_bad_cursor(spawn, cursor):
    assert spawn().request("tools/list", {"cursor": cursor})["error"]["code"] == PARAMS


def test_3_null_arguments_count_as_absent(mcp):
    answer = mcp.request("tools/call", {"name": "inbox_peek", "arguments": None})
    assert answer["result"]["content"][0]["text"] == "[]"


@pytest.mark.parametrize("text", ['"\\ud800"', '"a\\udc00b"', '"\\ud83dx"', '"\\udc4b\\ud83d"'])
def test_3_a_lone_surrogate_becomes_a_replacement_character(mcp, text):
    """In an argument that is echoed; `finish` checks that the output is valid UTF-8."""
    id = mcp.start("ping")
    mcp.send_raw(b'{"jsonrpc":"2.0","id":"s","method":"tools/call","params":{"name":"inbox_pop",'
                 b'"arguments":{"activity_id":' + text.encode() + b"}}}\n")
    result = mcp.tool_result("s").json
    assert "\ufffd" in result["activity_id"] and result["removed"] is False
    mcp.wait_answer(id)


def test_3_a_lone_surrogate_in_an_id(spawn):
    child = spawn()
    child.send_raw(b'{"jsonrpc":"2.0","id":"\\ud800","method":"ping"}\n')
    child.ping()
    assert b"\xed" not in b"".join(child.lines)


def test_3_a_lone_surrogate_does_not_reach_the_platform(mcp, fake):
    mcp.send_raw(b'{"jsonrpc":"2.0","id":"s","method":"tools/call","params":{"name":"send_message_to_user",'
                 b'"arguments":{"message":"a\\ud800b"}}}\n')
    assert not mcp.tool_result("s").failed
    assert fake.seen("notify")[0].body.decode() and fake.seen("notify")[0].json["message"] == "a\ufffdb"


def test_3_a_line_over_the_limit(spawn):
    child = spawn()
    child.send_raw(b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"' + b"y" * (17 << 20) + b'"}}\n')
    answer = child.wait_line(1)
    assert answer["error"]["code"] in (PARSE, REQUEST) and answer["id"] is None
    child.ping()
    assert len(child.lines) == 2


def test_3_an_endless_line_costs_bounded_memory(spawn, sanitized):
    child = spawn()
    for _ in range(100):
        child.send_raw(b"x" * (1 << 20))
    with open(f"/proc/{child.pid}/status") as status:
        rss = int(next(line for line in status if line.startswith("VmHWM")).split()[1])
    assert sanitized or rss < 80_000
    child.send_raw(b"\n")
    child.ping()
    assert len(child.lines) == 2


def test_3_a_line_just_below_the_limit(mcp):
    text = "z" * ((16 << 20) - 1000)
    id = mcp.start_tool("inbox_pop", {"activity_id": text})
    assert mcp.tool_result(id).json["activity_id"] == text


def test_3_the_same_id_twice_in_flight(mcp):
    """Whatever the response to the second, the first is answered and the server keeps running."""
    mcp.ids_may_repeat = True
    mcp.start_tool("wait_for_message", {"timeout_secs": 1}, id="same")
    mcp.send({"jsonrpc": "2.0", "id": "same", "method": "ping"})
    mcp.ping()
    mcp.wait_until(lambda: len(mcp.answers("same")) >= 1, "answer")


def test_3_duplicate_keys_and_unknown_members_are_tolerated(spawn):
    child = spawn()
    child.send_raw(b'{"x":1,"jsonrpc":"2.0","id":"a","method":"ping","params":{"_meta":{},"y":[]},"z":null}\n')
    assert child.wait_answer("a")["result"] == {}
    child.send_raw(b'{"jsonrpc":"2.0","id":"b","id":"c","method":"ping"}\n')
    child.ping()


def test_3_strings_with_every_escape(mcp):
    text = "".join(map(chr, range(0x20))) + '"\\/\u007f\u0080\u2028\u2029\ufeff\uffff\U0010ffff'
    assert mcp.call("inbox_pop", activity_id=text).json["activity_id"] == text


def mutations(chance):
    good = json.dumps({"jsonrpc": "2.0", "id": "m", "method": "tools/call", "params": {
        "name": "inbox_pop", "arguments": {"activity_id": "é👋"}, "_meta": {"progressToken": 0}}},
        ensure_ascii=False).encode()
    while True:
        line = bytearray(good)
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(line) + 1)
            kind = chance.randrange(4)
            if kind == 0:
                line[at:at + 1] = bytes([chance.randrange(256)])
            elif kind == 1:
                del line[at:at + chance.randrange(1, 20)]
            elif kind == 2:
                line[at:at] = chance.choice([b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"null", b"-0",
                                             b"1e999", b"\\ud800", b"\xff"])
            else:
                line[at:at] = line[:at]
        yield bytes(line).replace(b"\n", b"")


@pytest.mark.parametrize("seed", range(4))
def test_3_random_damage(spawn, seed):
    """Damage may destroy ids, so only liveness and valid output are required."""
    child = spawn()
    child.ids_may_repeat = True
    damage = mutations(random.Random(seed))
    child.send_raw(b"".join(next(damage) + b"\n" for _ in range(1500)))
    assert child.ping() < 20


@pytest.mark.parametrize("number", ["99999999999999999999", "-" + "9" * 40])
def test_2_an_integer_beyond_64_bits_is_a_number(spawn, number):
    """Models ask for it, and a host may pass it on."""
    call = ('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"inbox_peek",'
            '"arguments":{"limit":%s}}}' % number)
    answer = answer_to(spawn(), call.encode())
    assert answer["id"] == 1 and answer["result"]["isError"] is False
