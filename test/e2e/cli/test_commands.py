"""The commands of a person against the real platform (cli.md 2): data on stdout, words on stderr,
and the exit codes."""

import json
import os
import pty
import signal
import sqlite3
import stat
import subprocess
import termios
import threading
import time

from support.deadline import DEADLINE
from support.platform import child_env, text_of, until


def serve(mcp_binary, home):
    """Keeps the workspace online, as a host would."""
    return subprocess.Popen([mcp_binary], env=child_env(home), stdin=subprocess.PIPE,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def received(cli):
    return json.loads(cli("inbox", "--json").stdout)["messages"]


def test_setup_writes_a_configuration_that_holds_no_token(agent, home):
    config = home / ".config" / "molecule" / "config.toml"
    text = config.read_text()
    assert agent.id in text and agent.token not in text
    for path in (config, home / ".molecule-workspace" / ".auth_token"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (home / ".molecule-workspace" / ".auth_token").read_text().strip() == agent.token


def test_setup_twice_is_once_and_keeps_what_people_wrote(agent, platform, cli, home):
    config = home / ".config" / "molecule" / "config.toml"
    config.write_text("# mine\n" + config.read_text())
    token = home / "token"
    token.write_text(agent.token)
    cli("setup", "--url", platform.url, "--id", agent.id, "--token-file", str(token))
    text = config.read_text()
    assert text.startswith("# mine\n") and text.count("[[workspace]]") == 1


def test_setup_creates_a_workspace(platform, cli, home):
    admin = home / "admin"
    admin.write_text(platform.admin_token)
    made = json.loads(cli("setup", "--url", platform.url, "--create", "new one", "--admin-token-file",
                          str(admin), "--json").stdout)
    platform.secrets.add((home / ".molecule-workspace" / ".auth_token").read_text())
    assert json.loads(cli("whoami", "--json").stdout)["id"] == made["workspace_id"]


def test_setup_says_what_is_missing_or_wrong(platform, cli, home):
    assert "--url" in cli("setup", code=2).stderr
    assert "--id" in cli("setup", "--url", platform.url, code=2).stderr
    made = platform.create_workspace("one")
    wrong = home / "token"
    wrong.write_text("not-the-right-token")
    said = cli("setup", "--url", platform.url, "--id", made.id, "--token-file", str(wrong), code=3)
    assert "not-the-right-token" not in said.stderr + said.stdout
    assert not (home / ".config").exists()


def test_the_exit_codes(platform, cli, agent, home):
    assert cli("inbox").stdout == ""
    assert cli("inbox", "--wait=0", code=6).stdout == ""
    assert "send" in cli("sned", "x", code=2).stderr
    cli("show", "abc", code=4)
    assert "peers" in cli("send", "nobody", "hello", code=4).stderr
    cli("user", "", code=2)
    token = home / ".molecule-workspace" / ".auth_token"
    right = token.read_text()
    token.write_text("a-token-that-is-wrong")
    cli("user", "hello", code=3)
    token.write_text(right)
    platform.stop()
    assert "doctor" in cli("user", "hello", code=5).stderr


def test_a_message_is_shown_and_answered(platform, cli, agent, mcp_binary, home):
    host = serve(mcp_binary, home)
    try:
        platform.send(agent, "please\u202e check\nthis")
        (message,) = until(lambda: received(cli))
        table = cli("inbox").stdout
        assert message["activity_id"][:8] in table and "the user" in table and "\u202e" not in table
        shown = cli("show", message["activity_id"][:6]).stdout
        assert "please check\nthis" in shown
        sent = cli("reply", message["activity_id"][:8], "-", input="done\n")
        assert len(sent.stdout.strip()) == 36
        question, answer = platform.admin("GET", f"/workspaces/{agent.id}/chat-history").body["messages"]
        assert answer["in_reply_to"] == question["message_id"] != ""
        assert received(cli) == []
        assert "done" in cli("history").stdout
        platform.send(agent, "another")
        (other,) = until(lambda: received(cli))
        assert cli("pop", other["activity_id"][:8]).stdout.strip() == other["activity_id"]
        cli("pop", other["activity_id"], code=4)
    finally:
        host.stdin.close()
        assert host.wait(DEADLINE) == 0


def test_inbox_waits(platform, cli, agent, mcp_binary, home):
    host = serve(mcp_binary, home)
    try:
        found = []
        waiter = threading.Thread(
            target=lambda: found.append(cli("inbox", "--wait=30", "--json").stdout))
        waiter.start()
        platform.send(agent, "here it is")
        waiter.join(DEADLINE)
        assert json.loads(found[0])["messages"][0]["text"] == "here it is"
    finally:
        host.stdin.close()
        host.wait(DEADLINE)


def test_send_to_a_peer_and_wait_for_the_answer(platform, cli, agent):
    peer = platform.create_workspace("Researcher")
    platform.register(peer)
    listed = json.loads(cli("peers", "--json").stdout)["peers"]
    assert [one["id"] for one in listed] == [peer.id]
    note = cli("send", "res", "a question")
    assert len(note.stdout.strip()) == 36
    rows = platform.activity(peer, type="a2a_receive").body
    assert text_of(rows[0]) == "a question"
    answers = []
    waiter = threading.Thread(
        target=lambda: answers.append(cli("send", "researcher", "--wait=30", "another").stdout))
    waiter.start()

    def asked():
        rows = platform.activity(peer, type="a2a_receive").body
        return [row for row in rows if text_of(row) == "another"]

    (row,) = until(asked)
    message = {"role": "user", "messageId": "4f1f9a80-0000-4000-8000-000000000001",
               "parts": [{"kind": "text", "text": "the answer"}],
               "metadata": {"in_reply_to": row["request_body"]["params"]["message"]["messageId"]}}
    envelope = {"jsonrpc": "2.0", "id": "1", "method": "message/send", "params": {"message": message}}
    platform.request("POST", f"/workspaces/{agent.id}/a2a", peer.token, envelope,
                     headers={"X-Workspace-ID": peer.id})
    waiter.join(DEADLINE)
    assert answers == ["the answer\n"]


def test_files_go_to_the_user_and_texts_to_peers(platform, cli, agent, home):
    peer = platform.create_workspace("Researcher")
    platform.register(peer)
    note = home / "note.txt"
    note.write_text("in the file")
    cli("send", "researcher", "look", "--file", str(note))
    assert "in the file" in text_of(platform.activity(peer, type="a2a_receive").body[0])
    (home / "binary").write_bytes(b"\0\xff")
    cli("send", "researcher", "look", "--file", str(home / "binary"), code=2)
    said = cli("user", "look", "--file", str(home / ".molecule-workspace" / ".auth_token"), code=2)
    assert "secrets" in said.stderr


def test_memories(cli, agent):
    assert len(cli("memory", "add", "Deploys are on Tuesday").stdout.strip()) == 36
    assert "Tuesday" in cli("memory", "find", "Deploys").stdout
    assert "LOCAL" in cli("memory", "add", "x", "--scope", "nowhere", code=2).stderr


def test_the_environment_wins_and_several_workspaces_need_a_choice(platform, cli, agent, home):
    other = platform.create_workspace("second")
    token = home / "token"
    token.write_text(other.token)
    cli("setup", "--url", platform.url, "--id", other.id, "--token-file", str(token), "--name", "second")
    assert "--workspace" in cli("whoami", code=2).stderr
    assert json.loads(cli("whoami", "-w", "second", "--json").stdout)["id"] == other.id
    assert json.loads(cli("whoami", "-w", agent.id[:-4], "--json").stdout)["id"] == agent.id
    chosen = cli("whoami", "--json", env={"WORKSPACE_ID": other.id})
    assert json.loads(chosen.stdout)["id"] == other.id


def test_completions_are_valid_scripts(cli, home):
    script = cli("completion", "bash").stdout
    asked = subprocess.run(
        ["bash", "-c", script + "\nCOMP_WORDS=(molecule-mcp memory f); COMP_CWORD=2; _molecule_mcp; "
         "echo ${COMPREPLY[@]}; COMP_WORDS=(molecule-mcp install --h); _molecule_mcp; echo ${COMPREPLY[@]}"],
        capture_output=True, text=True, timeout=DEADLINE)
    assert asked.stdout.split("\n")[:2] == ["find", "--hooks --help"], asked
    assert asked.stderr == ""


def test_what_a_handler_gave_up_on_is_listed(cli, inbox, home):
    assert cli("inbox", "--failed").stdout == ""
    inbox(2)
    with sqlite3.connect(home / ".molecule-workspace" / "inbox.db") as db:
        db.execute("INSERT INTO turns(seq, tries, set_aside, reason) SELECT min(seq), 3, ?, 'no answer'"
                   " FROM messages", (int(time.time() * 1e6),))
    db.close()
    (failed,) = json.loads(cli("inbox", "--failed", "--json").stdout)["messages"]
    assert failed["reason"] == "no answer" and failed["tries"] == 3
    table = cli("inbox", "--failed").stdout
    assert "no answer" in table and failed["activity_id"][:8] in table
    both = received(cli)
    assert len(both) == 2
    other = next(one["activity_id"] for one in both if one["activity_id"] != failed["activity_id"])
    assert "is not set aside" in cli("retry", other, code=4).stderr
    cli("retry", code=2)
    cli("retry", "--all", other, code=2)
    assert cli("retry", failed["activity_id"]).stdout == failed["activity_id"] + "\n"
    assert cli("inbox", "--failed").stdout == ""
    assert json.loads(cli("retry", "--all", "--json").stdout) == {"retried": []}


def test_an_inbox_that_cannot_be_printed_is_a_failure(cli, inbox, mcp_binary, home):
    inbox(1)
    with open("/dev/full", "w") as full:
        ended = subprocess.run([mcp_binary, "inbox", "--json"], env=child_env(home), stdout=full,
                               stderr=subprocess.PIPE, text=True, timeout=DEADLINE)
    assert ended.returncode == 1 and "stdout" in ended.stderr
    # A reader that has enough is none.
    inbox_to_head = subprocess.run(["bash", "-c", 'set -o pipefail; "$0" inbox | head -c 1', mcp_binary],
                                   env=child_env(home), capture_output=True, timeout=DEADLINE)
    assert inbox_to_head.returncode == 0, inbox_to_head


def test_no_workspace_is_created_whose_token_could_not_be_kept(platform, cli, home):
    admin = home / "admin"
    admin.write_text(platform.admin_token)
    config = home / ".config" / "molecule" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("not = [toml")
    before = len(platform.admin("GET", "/workspaces").body)
    said = cli("setup", "--url", platform.url, "--create", "lost", "--admin-token-file", str(admin), code=1)
    assert "nothing was created" in said.stderr and "config.toml" in said.stderr
    assert len(platform.admin("GET", "/workspaces").body) == before
    assert config.read_text() == "not = [toml"


def test_a_peer_name_cannot_command_the_terminal(cli, env, fake):
    fake.peers = [{"id": f"3f2a000{n}-0000-4000-8000-000000000001", "name": f"Resear\u001b[31mcher\n{n}",
                   "role": "\u202ex", "status": "\u001b]0;x\u0007online"} for n in (1, 2)]
    for code, *command in ((0, "peers"), (0, "peers", "--json"), (2, "send", "resear", "x"),
                           (4, "send", "eesear[31mcher 1", "x")):
        ended = cli(*command, code=code, env=env)
        assert not set("\u001b\u0007\u202e") & set(ended.stdout + ended.stderr), ended
        assert "\n1" not in ended.stdout + ended.stderr


def test_ctrl_c_at_a_secret_leaves_a_terminal_that_shows_what_is_typed(mcp_binary, home):
    child, terminal = pty.fork()
    if child == 0:
        os.execve(mcp_binary, [mcp_binary, "setup", "--url", "http://127.0.0.1:1", "--id",
                               "3f2a0000-0000-4000-8000-000000000001"], child_env(home))
    seen = b""
    while b"(not shown)" not in seen:
        seen += os.read(terminal, 1000)

    def shows():
        return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)

    until(lambda: not shows())
    os.write(terminal, b"\x03")
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT
    assert shows()
    os.close(terminal)


def test_a_table_shows_enough_of_ids_that_begin_alike(cli, inbox, home):
    inbox(2)
    with sqlite3.connect(home / ".molecule-workspace" / "inbox.db") as db:
        db.execute("UPDATE messages SET activity_id = ? || seq", ("01a2201e-3268-7ac2-942c-00000000000",))
    db.close()
    shown = [line.split()[0] for line in cli("inbox").stdout.splitlines()[1:]]
    assert len(set(shown)) == 2
    for one in shown:
        assert cli("show", one).stdout
