"""The whole way of a person: create an agent, connect it, talk, answer what it asks, remove it."""

import os
import signal
import subprocess

import pytest
from scene import Scene
from support.deadline import DEADLINE
from support.platform import until

READ_CLIPBOARD = "return navigator.clipboard.readText()"


def run_in_shell(text, home):
    return subprocess.run(["bash", "-euc", text], env={"PATH": os.environ["PATH"], "HOME": str(home)},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


@pytest.fixture
def clipboard(page, platform):
    page.driver.execute_cdp_cmd("Browser.grantPermissions", {
        "origin": platform.url, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})

    def copied(name):
        page.click(f"Copy {name}")
        page.see("Copied")
        return page.js(READ_CLIPBOARD)
    return copied


def test_create_connect_and_talk(page, platform, clipboard, tmp_path):
    page.see("No agents yet")
    page.type("Name", "Ada")
    page.type("Role", "reads papers")
    page.click("Create agent")
    page.see("Waiting for the agent to connect")
    agent = platform.admin("GET", "/workspaces").body[0]
    # Exactly what was copied is what runs.
    saved = run_in_shell(clipboard("the command that saves the token"), tmp_path)
    assert saved.returncode == 0, saved
    token_file = next((tmp_path / ".config" / "molecule").iterdir())
    assert token_file.stat().st_mode & 0o777 == 0o600
    token = token_file.read_text().strip()
    platform.secrets.add(token)
    page.click("curl")
    ran = run_in_shell(clipboard("the lines for curl"), tmp_path)
    assert ran.returncode == 0, ran
    page.see("Connected!")

    page.click("Chat")
    page.type("Message to Ada", "What is 6 times 7?", enter=True)
    page.see("What is 6 times 7?")
    page.find(".message.user.sent")
    reply = platform.request("GET", f"/workspaces/{agent['id']}/activity?type=a2a_receive", token)
    row = reply.body[0]
    page.find(".message.user.fetched")
    assert platform.request("POST", f"/workspaces/{agent['id']}/activity/ack", token,
                            {"acked_seq": row["seq"]}).status == 200
    page.find(".message.user.handled")
    assert platform.request("POST", f"/workspaces/{agent['id']}/notify", token,
                            {"message": "It is **42**."}).status == 200
    page.until(lambda: page.all(".message.agent strong"), "the answer, as Markdown")
    assert len(page.all(".message")) == 2
    page.open(page.driver.current_url)
    page.see("It is 42.")
    assert len(page.all(".message")) == 2


def test_the_real_program_answers(page, platform, clipboard, tmp_path):
    """As pasted from the page, and as it answers: what it adds to a message must not confuse the chat."""
    page.type("Name", "Ada")
    page.click("Create agent")
    saved = run_in_shell(clipboard("the command that saves the token"), tmp_path)
    assert saved.returncode == 0, saved
    platform.secrets.add(next((tmp_path / ".config" / "molecule").iterdir()).read_text().strip())
    lines = clipboard("the lines for Terminal")
    running = subprocess.Popen(["bash", "-euc", lines], env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               start_new_session=True)
    try:
        page.see("Connected!")
        page.click("Chat")
        page.type("Message to Ada", "What is 6 times 7?", enter=True)
        page.find(".message.user.fetched")
        agent = platform.admin("GET", "/workspaces").body[0]["id"]
        row = platform.admin("GET", f"/workspaces/{agent}/activity?type=a2a_receive").body[0]["id"]
        # Once the message is in the inbox of the machine.
        reply = lines.replace(" daemon", f" reply {row} 'It is 42.'")
        until(lambda: run_in_shell(reply, tmp_path).returncode == 0, what="the answer")
        page.see("It is 42.")
        page.find(".message.user.handled")
        page.until(lambda: page.all(".message.agent"), "the answer")
        assert [one.text.split("\n")[0] for one in page.all(".message")] == ["What is 6 times 7?", "It is 42."]
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        assert running.wait(DEADLINE) is not None


def test_a_file_goes_each_way(page, platform, tmp_path):
    scene = Scene(platform)
    agent = scene.agent("Ada")
    page.go(f"#/agent/{agent.id}/chat")
    page.see("Nothing said yet")
    sent = tmp_path / "numbers.csv"
    sent.write_text("a,b\n1,2\n")
    page.all("input[type=file]")[0].send_keys(str(sent))
    page.see("numbers.csv")
    page.type("Message to Ada", "here they are", enter=True)
    page.find(".message.user.sent .file")
    part = until(lambda: [part for row in scene.inbox("Ada") if row["method"] == "message/send"
                          for part in row["request_body"]["params"]["message"]["parts"] if part["kind"] == "file"],
                 what="the file's part")[0]
    file_id = part["file"]["uri"].rpartition("/")[2]
    content = platform.request("GET", f"/workspaces/{agent.id}/pending-uploads/{file_id}/content", agent.token)
    assert content.body == "a,b\n1,2\n"

    boundary = "b0undary"
    body = (f"--{boundary}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"result.txt\"\r\n"
            f"Content-Type: text/plain\r\n\r\nthe result\r\n--{boundary}--\r\n").encode()
    uploaded = platform.request("POST", f"/workspaces/{agent.id}/chat/uploads", agent.token, body=body,
                                headers={"Content-Type": f"multipart/form-data; boundary={boundary}"})
    assert uploaded.status == 200, uploaded
    scene.says("Ada", "done", attachments=uploaded.body["files"])
    page.see("result.txt")
    page.click("Download result.txt")
    received = page.downloads / "result.txt"
    page.until(lambda: received.exists() and received.read_text() == "the result", "the downloaded file")


def test_requests_are_answered(page, platform):
    scene = Scene(platform)
    agent = scene.agent("Ada")
    approve = scene.requests("Ada", "approval", "Delete the old results")
    reject = scene.requests("Ada", "task", "Buy a faster machine", detail="It **would** help.")
    prompt = scene.requests("Ada", "approval", "Bash", source="permission", tool_name="Bash",
                            description="run a command", input_preview="rm -rf build", session="laptop")
    page.until(lambda: page.driver.title.startswith("(3)"), "the number in the title")
    page.go("#/inbox")
    page.see("Delete the old results", "Buy a faster machine", "rm -rf build", "laptop")

    def status(request):
        body = platform.request("GET", f"/workspaces/{agent.id}/requests/{request}", agent.token).body
        return body["request"]["status"], body["request"]["reason"]

    card = f'[data-request="{approve}"]'
    page.click("Approve", card)
    page.until(lambda: not page.all(card), "the approved one leaves")
    assert status(approve) == ("approved", None)
    card = f'[data-request="{reject}"]'
    page.click("Reject", card)
    page.type("Why?", "no money", enter=True)
    page.until(lambda: not page.all(card), "the rejected one leaves")
    assert status(reject) == ("rejected", "no money")
    card = f'[data-request="{prompt}"]'
    page.click("Deny", card)
    page.until(lambda: page.all(f"{card} .reason"), "the reason's form")
    page.click("Deny", f"{card} .reason")
    page.see("Nothing waits for you")
    assert status(prompt)[0] == "rejected"
    page.click("Decided")
    page.see("no money")
    assert not page.driver.title.startswith("(")


def test_tokens_rotate_and_end_and_the_agent_is_removed(page, platform):
    agent = platform.create_workspace("Ada")
    platform.register(agent)
    page.go(f"#/agent/{agent.id}/connect")
    page.click("Replace all tokens")
    page.see("loses access at once")
    page.click("Replace")
    token = page.until(lambda: page.js("return document.getElementById('token')?.innerText"), "the new token")
    platform.secrets.add(token)
    assert platform.heartbeat(agent).status == 401
    fresh = agent._replace(token=token)
    assert platform.heartbeat(fresh).status == 200
    page.click("Tokens")
    page.click("Revoke the token")
    page.see("It is the only one")
    page.click("Revoke")
    page.see("No token is valid")
    assert platform.heartbeat(fresh).status == 401
    page.click("Details")
    page.click("Remove this agent")
    assert not page.js("return [...document.querySelectorAll('dialog button.danger')].some((one) => !one.disabled)")
    page.type("Type Ada to confirm", "Ada")
    page.click("Remove")
    page.see("No agents yet")
    assert platform.request("GET", f"/workspaces/{agent.id}").status == 410
