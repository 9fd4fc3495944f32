"""Which state folder belongs to which workspace (molecule-mcp.md 3): two workspaces never share
an inbox or a token; all processes of one workspace do, however it was configured."""

import json

import pytest

from support.platform import until
from support.run import run


@pytest.fixture
def serve(spawn, platform):
    """A function that starts a process for one workspace, configured by WORKSPACE_ID or, if
    `listed`, by MOLECULE_WORKSPACES; all use the same state folder."""

    def start(workspace, listed=False, **changes):
        if listed:
            entries = [{"id": workspace.id, "token": workspace.token}]
            named = {"WORKSPACE_ID": None, "MOLECULE_WORKSPACE_TOKEN": None,
                     "MOLECULE_WORKSPACES": json.dumps(entries)}
        else:
            named = {"WORKSPACE_ID": workspace.id, "MOLECULE_WORKSPACE_TOKEN": workspace.token}
        child = spawn({"PLATFORM_URL": platform.url, **named, **changes}, speed=10,
                      secrets=[workspace.token])
        child.initialize()
        return child

    return start


def come_online(platform, *workspaces):
    for one in workspaces:
        until(lambda: platform.status_of(one) == "online", what="online")


def test_3_two_workspaces_on_one_default_folder_get_only_their_own(serve, platform, base_env):
    a, b = platform.create_workspace("a"), platform.create_workspace("b")
    children = [serve(one, CONFIGS_DIR=None, HOME=base_env["HOME"]) for one in (a, b)]
    come_online(platform, a, b)
    for one in (a, b):
        platform.send(one, "for " + one.id)
    for child, one in zip(children, (a, b)):
        message = child.call("wait_for_message", timeout_secs=300).json
        assert message["text"] == "for " + one.id
        assert child.call("inbox_pop", activity_id=message["activity_id"]).json["removed"]
        assert child.call("wait_for_message", timeout_secs=5).json.get("timeout")
    assert children[0].stderr_text == ""
    assert f"is the state folder of workspace {a.id}: workspace {b.id}" in children[1].stderr_text
    assert "CONFIGS_DIR" in children[1].stderr_text
    again = serve(b, CONFIGS_DIR=None, HOME=base_env["HOME"])
    again.call("inbox_peek")
    assert again.stderr_text == ""


@pytest.mark.parametrize("listed_first", [False, True])
def test_3_all_processes_of_a_workspace_share_its_inbox(serve, platform, listed_first):
    a = platform.create_workspace("a")
    first = serve(a, listed=listed_first)
    come_online(platform, a)
    platform.send(a, "popped in the first")
    message = first.call("wait_for_message", timeout_secs=300).json
    first.call("inbox_pop", activity_id=message["activity_id"])
    second = serve(a, listed=not listed_first)
    platform.send(a, "for one of them")
    taken = first.call("wait_for_message", timeout_secs=300).json
    assert taken["text"] == "for one of them"
    assert second.call("wait_for_message", timeout_secs=10).json.get("timeout")
    assert [m["activity_id"] for m in second.call("inbox_peek").json] == [taken["activity_id"]]


def test_3_a_workspace_gets_nothing_from_a_folder_used_for_another(serve, platform, state):
    a, b = platform.create_workspace("a"), platform.create_workspace("b")
    child = serve(a)
    come_online(platform, a)
    platform.send(a, "for a")
    child.wait_messages(1)
    child.finish()
    (state / ".auth_token").write_text(a.token)
    child = serve(b)
    come_online(platform, b)
    assert child.call("inbox_peek").json == []
    child.finish()
    assert (state / ".workspace_id").read_text() == a.id + "\n"
    assert [m["text"] for m in serve(a).call("inbox_peek").json] == ["for a"]


def test_3_doctor_and_status_do_not_claim_a_folder(serve, mcp_binary, env, platform, state):
    a, b = platform.create_workspace("a"), platform.create_workspace("b")

    def ask(command, workspace):
        named = {"WORKSPACE_ID": workspace and workspace.id, "PLATFORM_URL": platform.url,
                 "MOLECULE_WORKSPACE_TOKEN": None}
        return run(mcp_binary, {**env, **named}, command, "--json").stdout

    def folders(workspace=None):
        shown = json.loads(ask("status", workspace))["workspaces"]
        return [(one["workspace"], one["state_folder"]) for one in shown]

    state.mkdir(mode=0o700)
    ask("doctor", a)
    assert folders(a) == [(a.id, str(state))] and folders() == [("", str(state))]
    assert list(state.iterdir()) == []
    serve(a).call("inbox_peek")
    own = str(state / b.id)
    assert folders(b) == [(b.id, own)]
    assert own in ask("doctor", b) and not (state / b.id).exists()
    serve(b).call("inbox_peek")
    assert folders() == [(a.id, str(state)), (b.id, own)]
