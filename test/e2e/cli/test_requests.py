"""`molecule-mcp requests` (cli.md 2) against the real platform."""

import json

import pytest


@pytest.fixture
def peer(platform, agent):
    made = platform.create_workspace("Researcher")
    platform.register(made)
    return made


def made_by(cli, *arguments, **rest):
    return cli("requests", "new", *arguments, **rest).stdout.strip()


def test_the_user_is_asked_and_the_answer_is_shown(platform, cli, agent):
    assert cli("requests").stdout == ""
    asked = made_by(cli, "approval", "Delete the\u202e attic?", "--detail", "-", input="all of it\n")
    assert made_by(cli, "approval", "Delete the\u202e attic?", "--detail", "all of it") == asked
    assert len(asked) == 36
    table = cli("requests").stdout
    assert asked[:8] in table and "the user" in table and "pending" in table and "\u202e" not in table
    platform.admin("POST", f"/requests/{asked}/messages", {"body": "the whole \u001b[31mattic?"})
    cli("requests", "respond", asked[:8], "yes, it is empty")
    platform.admin("POST", f"/requests/{asked}/respond", {"action": "rejected", "message": "keep it"})
    shown = cli("requests", asked[:8]).stdout
    for part in ("all of it", "the whole [31mattic?", "yes, it is empty", "keep it", "rejected"):
        assert part in shown, shown
    thread = json.loads(cli("requests", asked, "--json").stdout)
    assert [one["body"] for one in thread["messages"]][1] == "yes, it is empty"
    assert cli("requests", "--status", "pending").stdout == ""
    assert [one["id"] for one in json.loads(cli("requests", "--json").stdout)["mine"]] == [asked]


def test_a_peer_is_asked_and_its_request_is_answered(platform, cli, agent, peer):
    sent = made_by(cli, "task", "Read this", "--to", "res", "--priority", "5")
    (row,) = platform.request("GET", f"/workspaces/{peer.id}/requests/inbox", peer.token).body
    assert (row["id"], row["priority"], row["requester_id"]) == (sent, 5, agent.id)
    assert "Researcher" in cli("requests").stdout
    path = f"/workspaces/{peer.id}/requests"
    body = {"kind": "task", "title": "Your turn", "recipient_type": "agent", "recipient_id": agent.id}
    theirs = platform.request("POST", path, peer.token, body).body["request_id"]
    both = json.loads(cli("requests", "--json").stdout)
    assert ([one["id"] for one in both["mine"]], [one["id"] for one in both["to_me"]]) == ([sent], [theirs])
    answered = json.loads(cli("requests", "respond", theirs, "done", "merged", "--json").stdout)
    assert answered == {"request_id": theirs, "status": "done"}
    thread = platform.request("GET", f"{path}/{theirs}", peer.token).body
    assert (thread["request"]["status"], thread["request"]["reason"]) == ("done", "merged")
    assert cli("requests", "cancel", sent).stdout.strip() == sent
    assert json.loads(cli("requests", sent, "--json").stdout)["request"]["status"] == "cancelled"


def test_what_is_wrong_is_said(cli, agent, peer):
    assert "requests cancel" in cli("requests", "cancle", code=2).stderr
    cli("requests", "0123abcd", code=4)
    cli("requests", "cancel", "00000000-0000-4000-8000-000000000000", code=4)
    assert "pending" in cli("requests", "--status", "open", code=2).stderr
    assert "approval" in cli("requests", "new", "wish", "x", code=2).stderr
    assert "-100" in cli("requests", "new", "task", "x", "--priority", "1000", code=2).stderr
    assert "user can approve" in cli("requests", "new", "approval", "x", "--to", "res", code=2).stderr
    assert "peers" in cli("requests", "new", "task", "x", "--to", "nobody", code=4).stderr
    asked = made_by(cli, "task", "x")
    assert "did you mean done" in cli("requests", "respond", asked, "doen", code=2).stderr
    # Its own request is not its to answer.
    assert cli("requests", "respond", asked, "done", code=1).stderr
