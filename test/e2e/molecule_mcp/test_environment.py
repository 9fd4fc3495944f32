"""Every environment variable (molecule-mcp.md 2)."""

import itertools
from pathlib import Path

import pytest

from support.mcp import McpProcess
from support.run import as_nobody, in_container_root, open_folder, refused

TOOL_ROUTES = {"peers": ("list_peers", {}), "info": ("get_workspace_info", {}),
               "notify": ("send_message_to_user", {"message": "m"}),
               "commit": ("commit_memory", {"content": "c"}), "recall": ("recall_memory", {}),
               "a2a": ("delegate_task", {"workspace_id": "11111111-2222-4333-8444-555555555555",
                                         "task": "t"}),
               "delegations": ("check_task_status",
                               {"workspace_id": "11111111-2222-4333-8444-555555555555", "task_id": ""})}


def bearer(request):
    return request.headers["authorization"]


def test_2_all_missing_variables_are_named_at_once(mcp_binary, base_env):
    text = refused(mcp_binary, base_env, "WORKSPACE_ID", "PLATFORM_URL", "MOLECULE_WORKSPACE_TOKEN")
    assert 3 <= len(text.splitlines()) <= 6, text


def test_2_all_invalid_variables_are_named_at_once(mcp_binary, env, tmp_path):
    changed = {**env, "WORKSPACE_ID": "seven", "PLATFORM_URL": "ftp://x", "MOLECULE_WORKSPACE_TOKEN": None,
               "MOLECULE_WORKSPACE_TOKEN_FILE": str(tmp_path / "absent"),
               "CONFIGS_DIR": "/proc/1/status/state"}
    refused(mcp_binary, changed, "WORKSPACE_ID", "PLATFORM_URL", "MOLECULE_WORKSPACE_TOKEN_FILE",
            "/proc/1/status/state")


@pytest.mark.parametrize("name", ["WORKSPACE_ID", "PLATFORM_URL", "MOLECULE_WORKSPACE_TOKEN"])
@pytest.mark.parametrize("value", [None, "", "  \t"])
def test_2_a_blank_variable_counts_as_missing(mcp_binary, env, fake, name, value):
    refused(mcp_binary, {**env, name: value}, name)
    assert fake.seen("*") == []


@pytest.mark.parametrize("id", ["seven", "11111111-2222-4333-8444-55555555555", "../../etc/passwd",
                                "11111111-2222-4333-8444-55555555555g",
                                "11111111-2222-4333-8444-555555555555/x"])
def test_2_workspace_id_is_a_uuid(mcp_binary, env, id):
    refused(mcp_binary, {**env, "WORKSPACE_ID": id}, "WORKSPACE_ID")


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://host", "file:///etc/passwd", "http://", "//host",
                                 "http:host", "http://ho st", "javascript:1", "http://host:99999",
                                 "http://host:0", "http://host:8080x", "http://[::1", "http://[::1]8080"])
def test_2_platform_url_is_http_or_https(mcp_binary, env, url):
    refused(mcp_binary, {**env, "PLATFORM_URL": url}, "PLATFORM_URL")


@pytest.mark.parametrize("slashes", ["/", "///"])
def test_2_trailing_slashes_are_dropped(spawn, env, fake, workspace_id, slashes):
    child = spawn({"PLATFORM_URL": fake.url + slashes}, speed=20)
    child.initialize()
    for tool, arguments in TOOL_ROUTES.values():
        assert not child.call(tool, **arguments).failed
    fake.wait_for("heartbeat")
    fake.wait_for("activity")
    for request in fake.seen("*"):
        assert request.route, f"{request.method} {request.target}"
        assert request.headers["origin"] == fake.url


def test_2_the_token_is_trimmed(spawn, fake, token):
    spawn({"MOLECULE_WORKSPACE_TOKEN": f" \t{token}\n"})
    assert bearer(fake.wait_for("register")[0]) == f"Bearer {token}"


@pytest.mark.parametrize("placeholder", ["<paste from create response>", "<paste auth_token here>",
                                         "ROTATE_TO_REVEAL_TOKEN", "<ROTATE_TO_REVEAL_TOKEN>"])
@pytest.mark.parametrize("source", ["variable", "file", "state"])
def test_2_a_placeholder_token_is_rejected(mcp_binary, env, fake, tmp_path, state, placeholder, source):
    changed = dict(env)
    if source == "variable":
        changed["MOLECULE_WORKSPACE_TOKEN"] = placeholder
    else:
        del changed["MOLECULE_WORKSPACE_TOKEN"]
        state.mkdir()
        path = state / ".auth_token" if source == "state" else tmp_path / "token"
        path.write_text(placeholder + "\n")
        if source == "file":
            changed["MOLECULE_WORKSPACE_TOKEN_FILE"] = str(path)
    refused(mcp_binary, changed)
    assert fake.seen("*") == []


@pytest.mark.parametrize("value", ["abc\r\nX-Evil: 1", "abc def", "abc\x01def", "ab\tc"])
def test_2_a_token_that_is_invalid_in_a_header_is_rejected(mcp_binary, env, fake, value):
    text = refused(mcp_binary, {**env, "MOLECULE_WORKSPACE_TOKEN": value}, "MOLECULE_WORKSPACE_TOKEN")
    assert "abc" not in text and "X-Evil" not in text
    assert fake.seen("*") == []


def test_2_a_token_file_may_begin_with_a_byte_order_mark(spawn, fake, tmp_path, token):
    (tmp_path / "token").write_bytes(b"\xef\xbb\xbf" + token.encode() + b"\r\n")
    spawn({"MOLECULE_WORKSPACE_TOKEN": None, "MOLECULE_WORKSPACE_TOKEN_FILE": str(tmp_path / "token")})
    assert fake.wait_for("register")[0].headers["authorization"] == f"Bearer {token}"


def test_2_each_problem_with_a_token_file_has_its_own_error(mcp_binary, env, fake, token):
    with open_folder() as folder:
        contents = {"not UTF-8": b"\xff\xfe" + token.encode(), "empty": b"", "only blanks": b" \n\t\n",
                    "blank inside": b"abc def-secret", "newline inside": b"abc\ndef-secret\n"}
        texts = {}
        for fault, content in contents.items():
            (folder / "token").write_bytes(content)
            (folder / "token").chmod(0o644)
            texts[fault] = _refuse_file(mcp_binary, env, folder)
        (folder / "token").write_text(token)
        (folder / "token").chmod(0)
        texts["not permitted"] = _refuse_file(mcp_binary, env, folder)
        (folder / "token").unlink()
        texts["absent"] = _refuse_file(mcp_binary, env, folder)
    five = ["absent", "not permitted", "not UTF-8", "empty", "blank inside"]
    for a, b in itertools.combinations(five, 2):
        assert texts[a] != texts[b], (a, b)
    assert texts["empty"] == texts["only blanks"] and texts["blank inside"] == texts["newline inside"]
    assert not any("def-secret" in text or token in text for text in texts.values())
    assert fake.seen("*") == []


def _refuse_file(mcp_binary, env, folder):
    """The state folder contains a valid token, which must not be used as a fallback."""
    (folder / "state").mkdir(exist_ok=True)
    (folder / "state").chmod(0o777)
    (folder / "state" / ".auth_token").write_text("good-" + "t" * 38)
    (folder / "state" / ".auth_token").chmod(0o644)
    changed = {**env, "CONFIGS_DIR": str(folder / "state"), "MOLECULE_WORKSPACE_TOKEN": None,
               "MOLECULE_WORKSPACE_TOKEN_FILE": str(folder / "token")}
    return refused(mcp_binary, changed, "MOLECULE_WORKSPACE_TOKEN_FILE", str(folder / "token"),
                   **as_nobody())


def test_2_a_token_file_that_is_a_folder_or_endless_is_rejected(mcp_binary, env, tmp_path):
    for path in (str(tmp_path), "/dev/zero"):
        changed = {**env, "MOLECULE_WORKSPACE_TOKEN": None, "MOLECULE_WORKSPACE_TOKEN_FILE": path}
        refused(mcp_binary, changed, "MOLECULE_WORKSPACE_TOKEN_FILE")


@pytest.mark.parametrize("given, used", [
    (("variable", "file", "state"), "variable"), (("file", "state"), "file"), (("state",), "state")])
def test_2_the_order_of_token_sources(spawn, fake, tmp_path, state, given, used):
    tokens = {source: f"{source}-" + "t" * 40 for source in ("variable", "file", "state")}
    changes = {"MOLECULE_WORKSPACE_TOKEN": tokens["variable"] if "variable" in given else None}
    if "file" in given:
        (tmp_path / "token").write_text(tokens["file"] + "\n")
        changes["MOLECULE_WORKSPACE_TOKEN_FILE"] = str(tmp_path / "token")
    state.mkdir()
    (state / ".auth_token").write_text(tokens["state"] + "\n")
    spawn(changes, secrets=tokens.values())
    assert bearer(fake.wait_for("register")[0]) == f"Bearer {tokens[used]}"
    assert bearer(fake.wait_for("heartbeat")[0]) == f"Bearer {tokens[used]}"
    assert bearer(fake.wait_for("activity")[0]) == f"Bearer {tokens[used]}"


@pytest.mark.parametrize("file", [True, False])
def test_2_in_a_container_the_file_in_configs_comes_first(mcp_binary, env, fake, token, tmp_path, file):
    """/configs is also the state folder if CONFIGS_DIR is not set (section 3)."""
    inside = "file-" + "t" * 40
    setup = f'printf %s {inside} > "$root/configs/.auth_token"' if file else ":"
    command = in_container_root([mcp_binary], tmp_path / "root", setup)
    if command is None:
        pytest.skip("mount namespaces are not allowed here")
    del env["CONFIGS_DIR"]
    child = McpProcess(command[0], env, command[1:], {token, inside})
    try:
        used = inside if file else token
        assert bearer(fake.wait_for("register")[0]) == f"Bearer {used}"
        assert bearer(fake.wait_for("heartbeat")[0]) == f"Bearer {used}"
        configs = Path(f"/proc/{child.pid}/root/configs")
        child.wait_until(lambda: (configs / ".platform_inbound_secret").exists(), "secret", 5)
    finally:
        child.finish()


@pytest.mark.parametrize("changes, name, description, skills", [
    ({}, None, None, []),
    ({"NAME": "Jürgen 事務", "DESCRIPTION": "does \"things\"", "SKILLS": "code review, Übersetzen ,,x "},
     "Jürgen 事務", 'does "things"', ["code review", "Übersetzen", "x"]),
    ({"NAME": "  padded ", "DESCRIPTION": "\t", "SKILLS": " , ,"}, "padded", None, []),
    ({"NAME": "   "}, None, None, [])])
def test_2_the_agent_card(spawn, fake, workspace_id, changes, name, description, skills):
    spawn({f"MOLECULE_AGENT_{key}": value for key, value in changes.items()})
    card = fake.wait_for("register")[0].json["agent_card"]
    assert card["name"] == (name or f"molecule-mcp-{workspace_id}")
    assert ("description" in card) == (description is not None)
    assert card.get("description") == description
    assert card.get("skills", []) == [{"name": s} for s in skills]
    assert set(card) <= {"name", "description", "skills"}


@pytest.mark.parametrize("variable", ["MOLECULE_ORG_ID", "MOLECULE_ORGANIZATION_ID"])
def test_2_the_organisation_is_sent_with_every_call(spawn, fake, variable):
    child = spawn({variable: "org-7!~"}, speed=20)
    child.initialize()
    for tool, arguments in TOOL_ROUTES.values():
        child.call(tool, **arguments)
    fake.wait_for("heartbeat", 2)
    fake.wait_for("activity", 2)
    assert {r.route for r in fake.seen("*")} >= {"register", "heartbeat", "activity", *TOOL_ROUTES}
    assert {r.headers.get("x-molecule-org-id") for r in fake.seen("*")} == {"org-7!~"}


@pytest.mark.parametrize("value", ["", "   ", "with blank", "ü", "x" * 129, "a\r\nX-Evil: 1"])
def test_2_an_invalid_organisation_is_not_sent(spawn, fake, value):
    child = spawn({"MOLECULE_ORG_ID": value})
    child.initialize()
    child.call("list_peers")
    fake.wait_for("register")
    for request in fake.seen("*"):
        assert "x-molecule-org-id" not in request.headers and "x-evil" not in request.headers


def test_2_the_longest_organisation_is_sent(spawn, fake):
    spawn({"MOLECULE_ORG_ID": "x" * 128})
    assert fake.wait_for("register")[0].headers["x-molecule-org-id"] == "x" * 128


def test_2_quiet_unless_verbose(spawn, fake):
    quiet = spawn(speed=40)
    quiet.initialize()
    fake.wait_for("heartbeat", 4)
    assert quiet.stderr_text == ""


def test_2_verbose_logs_register_and_every_heartbeat(spawn, fake):
    child = spawn({"MOLECULE_MCP_VERBOSE": "1"}, speed=40)
    child.wait_stderr("regist")
    fake.wait_for("heartbeat", 4)
    child.wait_stderr("heartbeat", 3)


def test_2_disabled_heartbeat(spawn, fake):
    child = spawn({"MOLECULE_MCP_DISABLE_HEARTBEAT": "1"}, speed=40)
    child.initialize()
    id = fake.add_message("still heard")
    assert child.wait_messages(1)[0]["activity_id"] == id
    fake.wait_for("activity", 8)
    assert fake.seen("register") == [] and fake.seen("heartbeat") == []


def test_2_disabled_inbox(spawn, fake):
    fake.add_message("unheard")
    child = spawn({"MOLECULE_MCP_DISABLE_INBOX": "1"}, speed=40)
    child.initialize()
    for tool, arguments in [("wait_for_message", {"timeout_secs": 1}), ("inbox_peek", {}),
                            ("inbox_pop", {"activity_id": fake.rows[0]["id"]})]:
        result = child.call(tool, **arguments)
        assert "not enabled" in result.text and "MOLECULE_MCP_DISABLE_INBOX" in result.text
    fake.wait_for("heartbeat", 3)
    assert fake.seen("activity") == []
    assert not child.call("list_peers").failed


def instructions(spawn, seconds):
    return spawn({"MOLECULE_MCP_POLL_TIMEOUT_SECS": seconds}).initialize()["instructions"]


def test_2_the_instructions_state_the_poll_timeout(spawn):
    default, seven = instructions(spawn, None), instructions(spawn, "7")
    assert "timeout_secs" in default and "2" in default
    assert "7" in seven and seven != default
    assert instructions(spawn, "2") == default
    assert instructions(spawn, "seven") == default
    assert instructions(spawn, "1000") == instructions(spawn, "60")
    assert instructions(spawn, "60") != default
    assert instructions(spawn, "-3") == instructions(spawn, "0")
    assert instructions(spawn, "0") not in (default, instructions(spawn, "1"))


def test_2_the_token_is_in_no_argument_list(spawn, fake, token):
    child = spawn()
    fake.wait_for("heartbeat")
    with open(f"/proc/{child.pid}/cmdline", "rb") as cmdline:
        assert token.encode() not in cmdline.read()
    with open(f"/proc/{child.pid}/task/{child.pid}/children") as children:
        assert children.read().split() == []


def test_2_verbose_never_shows_a_secret(spawn, fake):
    """`spawn` searches both outputs for the token and the inbound secret."""
    child = spawn({"MOLECULE_MCP_VERBOSE": "1"}, speed=40)
    child.initialize()
    fake.wait_for("heartbeat", 2)
    fake.inbound_secret = "second-" + fake.inbound_secret
    fake.next("heartbeat", 2)
