#!/usr/bin/env python3
"""The main job, end to end: two agents come online on a local platform, a user writes to one, it
asks the other, gets the answer, and tells the user. Nothing is simulated: these are the real
programs, and everything printed was read back from the platform or the agents."""

import argparse
import contextlib
import json
import os
import shlex
import shutil
import signal
import sys
import tempfile
import time

from processes import ANSWER_SECONDS, Agent, Daemon, Failure, Platform
from screen import Screen

QUESTION = "Ada, how much is 6 times 7? Ben is the one who knows numbers."
TASK = "How much is 6 times 7?"
ANSWER = "6 times 7 is 42."
FOR_CEM = "Cem, are you there?"
HANDLER = ["/bin/sh", "-c", "cat >/dev/null; echo 'Yes, and no window is open.'"]
POLL = "an inbox asks the platform every 5 s"


def words(message):
    """The text of a message row's envelope."""
    return "".join(part["text"] for part in message["params"]["message"]["parts"]
                   if "text" in part)


class MainJob:
    def __init__(self, build, store, screen, children):
        self.build, self.store, self.screen, self.children = build, store, screen, children
        self.names, self.agents = {}, {}
        self.shown = False

    def binary(self, name):
        for path in (os.path.join(self.build, name), os.path.join(self.build, "src", "app", name)):
            if os.access(path, os.X_OK):
                return os.path.abspath(path)
        raise Failure(f"there is no {name} in {self.build}: build first (./run does)")

    def private_file(self, name, text):
        """A file that only this user can read; secrets must not appear on a command line."""
        path = os.path.join(self.store, name)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        return path

    # --- the story ------------------------------------------------------------------------

    def start_platform(self):
        self.screen.step("Start the platform with an empty store")
        self.platform = Platform(self.binary("molecule-platform"),
                                 os.path.join(self.store, "platform"),
                                 os.path.join(self.store, "platform.log"))
        self.children.callback(self.platform.end)
        health = self.platform.ask("GET", "/health")["status"]
        self.screen.fact("platform", f"{self.platform.url} says: {health}")

    def create_workspaces(self):
        self.screen.step("The user creates two workspaces for external agents")
        for name, role in (("Ada", "talks to people"), ("Ben", "knows numbers")):
            made = self.platform.ask("POST", "/workspaces", {
                "name": name, "role": role, "external": True, "delivery_mode": "poll"})
            self.names[made["id"]] = name
            self.private_file(f"{name}.token", made["connection"]["auth_token"])
        for workspace in self.platform.ask("GET", "/workspaces"):
            self.screen.fact(workspace["name"], f"{workspace['id']}  {workspace['status']}")

    def start_agents(self):
        self.screen.step("An agent connects to each workspace: molecule-mcp over pipes")
        for workspace_id, name in self.names.items():
            agent = Agent(self.binary("molecule-mcp"), name, workspace_id, self.platform.url,
                          os.path.join(self.store, f"{name}.token"),
                          os.path.join(self.store, f"{name}.state"),
                          os.path.join(self.store, f"{name}.log"))
            self.children.callback(agent.end)
            self.agents[name] = agent
            about = agent.initialize()
            tools = agent.request("tools/list")["tools"]
            server = about["serverInfo"]
            self.screen.fact(name, f"{server['name']} {server['version']}, MCP "
                                   f"{about['protocolVersion']}, {len(tools)} tools")
        tick = self.screen.waiting("registering")
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            workspaces = self.platform.ask("GET", "/workspaces")
            if all(workspace["status"] == "online" for workspace in workspaces):
                break
            if time.monotonic() > deadline:
                agents = "\n".join(a.name + a.last_words() for a in self.agents.values())
                raise Failure(f"the agents are not online after {ANSWER_SECONDS} s\n{agents}")
            tick()
            time.sleep(0.05)
        for workspace in workspaces:
            card = workspace["agent_card"]["name"]
            self.screen.fact(workspace["name"], f"{workspace['status']}, its card says “{card}”")

    def write_to_ada(self):
        self.screen.step("The user writes to Ada")
        ada = self.agents["Ada"].workspace_id
        reply = self.platform.ask("POST", f"/workspaces/{ada}/a2a", {
            "method": "message/send", "params": {"message": {
                "role": "user", "parts": [{"kind": "text", "text": QUESTION}]}}})
        row = self.platform.ask("GET", f"/workspaces/{ada}/activity?type=a2a_receive")[0]
        self.screen.fact("platform", f"{reply['status']} for Ada: “{words(row['request_body'])}”")

    def hear(self, name, sender):
        """Waits until the agent receives a message of that kind, and shows it."""
        agent = self.agents[name]
        deadline = time.monotonic() + ANSWER_SECONDS
        tick = self.screen.waiting(f"{name} calls wait_for_message; {POLL}")
        while True:
            message = json.loads(agent.call("wait_for_message", tick=tick, timeout_secs=20))
            if "activity_id" in message:
                break
            if time.monotonic() > deadline:
                raise Failure(f"{name} received no message within {ANSWER_SECONDS} s{agent.last_words()}")
        if message["kind"] != sender:
            raise Failure(f"{name} expected a message from {sender}, got one from {message['kind']}")
        known = self.names.get(message.get("peer_id"), "the user")
        self.screen.fact(name, f"hears {known}: “{message['text']}”")
        return message

    def delegate(self, sender, receiver, task):
        """One agent delegates to another; shows the task as it appears in the other's inbox."""
        peers = self.agents[sender].call("list_peers")
        target = self.agents[receiver].workspace_id
        if target not in peers:
            raise Failure(f"{sender} does not see {receiver} among its peers:\n{peers}")
        said = self.agents[sender].call("delegate_task", workspace_id=target, task=task)
        row = self.platform.ask("GET", f"/workspaces/{target}/activity?type=a2a_receive")[0]
        source = self.names.get(row["source_id"])
        self.screen.fact(sender, f"calls delegate_task: {said.splitlines()[0]}")
        self.screen.fact("platform", f"{source} to {receiver}: “{words(row['request_body'])}”")

    def tell_the_user(self, name, text):
        agent = self.agents[name]
        agent.call("send_message_to_user", message=text)
        path = f"/workspaces/{agent.workspace_id}/activity?source=canvas"
        row = self.platform.ask("GET", path)[0]
        self.screen.fact("user", f"reads, from {name}: “{row['response_body']['result']}”")

    def pop(self, name, message):
        agent = self.agents[name]
        agent.call("inbox_pop", activity_id=message["activity_id"])
        left = len(json.loads(agent.call("inbox_peek")))
        self.screen.fact(name, f"removes the message from its inbox; {left} left")

    def run(self):
        self.start_platform()
        self.create_workspaces()
        self.start_agents()
        self.write_to_ada()
        self.screen.step("Ada hears the user and asks Ben")
        question = self.hear("Ada", "canvas_user")
        self.delegate("Ada", "Ben", TASK)
        self.tell_the_user("Ada", "I have asked Ben.")
        self.pop("Ada", question)
        self.screen.step("Ben hears Ada and answers")
        task = self.hear("Ben", "peer_agent")
        self.delegate("Ben", "Ada", ANSWER)
        self.pop("Ben", task)
        self.screen.step("Ada hears Ben and tells the user")
        answer = self.hear("Ada", "peer_agent")
        self.tell_the_user("Ada", f"Ben says: {answer['text']}")
        self.pop("Ada", answer)
        self.answer_with_no_host()
        self.screen.step("The agents exit")
        for name, agent in self.agents.items():
            if not agent.end():
                raise Failure(f"{agent.name} did not exit cleanly{agent.last_words()}")
            self.screen.fact(name, "exited when its stdin was closed")
        if not self.daemon.end():
            raise Failure(f"{self.daemon.name} did not exit cleanly{self.daemon.last_words()}")
        self.screen.fact("Cem", "exited after SIGTERM")
        self.shown = True

    def answer_with_no_host(self):
        self.screen.step("A third agent has no host: a daemon answers the user with a command")
        made = self.platform.ask("POST", "/workspaces", {
            "name": "Cem", "role": "is only a daemon", "external": True, "delivery_mode": "poll"})
        cem = made["id"]
        token = self.private_file("Cem.token", made["connection"]["auth_token"])
        self.daemon = Daemon(self.binary("molecule-mcp"), "Cem", cem, self.platform.url, token,
                             os.path.join(self.store, "Cem.state"),
                             os.path.join(self.store, "Cem.log"), HANDLER)
        self.children.callback(self.daemon.end)
        self.screen.fact("Cem", "molecule-mcp daemon --handler command -- …")
        self.platform.ask("POST", f"/workspaces/{cem}/a2a", {
            "method": "message/send", "params": {"message": {
                "role": "user", "parts": [{"kind": "text", "text": FOR_CEM}]}}})
        self.screen.fact("user", f"writes to Cem: “{FOR_CEM}”")
        tick = self.screen.waiting(POLL)
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            rows = self.platform.ask("GET", f"/workspaces/{cem}/activity?type=a2a_receive")
            answers = [row for row in rows if row["method"] == "notify"]
            if answers:
                break
            if time.monotonic() > deadline:
                raise Failure(f"Cem did not answer{self.daemon.last_words()}")
            tick()
            time.sleep(0.05)
        self.screen.fact("user", f"reads, from Cem: “{answers[0]['response_body']['result']}”")

    # --- afterwards -----------------------------------------------------------------------

    def show_how_to_go_on(self):
        quote, say, url = shlex.quote, self.screen.print, self.platform.url
        ada = self.agents["Ada"].workspace_id
        admin = self.private_file("admin.header",
                                  f"Authorization: Bearer {self.platform.admin_token}")
        settings = {"WORKSPACE_ID": ada, "PLATFORM_URL": url,
                    "MOLECULE_WORKSPACE_TOKEN_FILE": os.path.join(self.store, "Ada.token"),
                    "CONFIGS_DIR": os.path.join(self.store, "Ada.state")}
        mcp = quote(self.binary("molecule-mcp"))

        def options(flag):
            return " ".join(f"{flag} {quote(f'{name}={value}')}"
                            for name, value in settings.items())

        message = {"method": "message/send", "params": {"message": {
            "role": "user", "parts": [{"kind": "text", "text": "Good morning, Ada"}]}}}
        curl = f"curl -sS -H {quote('@' + admin)}"
        say(f"\n{self.screen.paint('bold', f'The platform is still running at {url}.')} "
            "Ctrl-C stops it and deletes its store.")
        say("\nConnect your own agent as Ada (the token is in a file that only you can read):")
        say(f"\n  # Claude Code\n  claude mcp add molecule {options('-e')} -- {mcp}")
        say(f"\n  # Codex\n  codex mcp add molecule {options('--env')} -- {mcp}")
        say(f"\n  # Gemini CLI\n  gemini mcp add {options('-e')} molecule {mcp}")
        say("\nOr answer with no agent open, by a program of yours (docs/handlers.md):")
        daemon = " ".join(f"{name}={quote(value)}" for name, value in settings.items())
        say(f"\n  env {daemon} {mcp} daemon --handler command -- ./answer.sh")
        say("\nWrite to it as the user, and read its answers:")
        say(f"\n  {curl} {url}/workspaces/{ada}/a2a -d {quote(json.dumps(message))}")
        say(f"\n  {curl} {quote(f'{url}/workspaces/{ada}/activity?source=canvas')}\n")

    def stay(self):
        """Waits until the platform exits or the user interrupts (an exception)."""
        while self.platform.next_line(0.5) is None:
            pass


def end_quietly(*_):
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser(description="Shows the main job on the embedded platform.")
    parser.add_argument("--build", default="build", help="build folder (default: build)")
    parser.add_argument("--once", action="store_true", help="exit after the demonstration")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end_quietly)
    screen = Screen()
    with contextlib.ExitStack() as children:
        store = tempfile.mkdtemp(prefix="molecule-demo-")  # mode 0700
        children.callback(shutil.rmtree, store, ignore_errors=True)
        job = MainJob(options.build, store, screen, children)
        try:
            job.run()
            if options.once:
                if not job.platform.end():
                    raise Failure(f"molecule-platform did not exit cleanly"
                                  f"{job.platform.last_words()}")
                screen.print(f"\n{screen.paint('green', 'Done.')}")
                return 0
            job.show_how_to_go_on()
            job.stay()
        except KeyboardInterrupt:
            screen.print("\nStopping.")
            return 0 if job.shown else 130
        except Failure as failure:
            screen.print()
            print(f"{screen.paint('red', 'Failed:')} {failure}", file=sys.stderr)
            return 1


if __name__ == "__main__":
    sys.exit(main())
