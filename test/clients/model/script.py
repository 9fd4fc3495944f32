"""What the scripted model does next. It is obedient and has no knowledge of its own: it does what
the server's instructions say, and decides nothing that a real model would not.

It waits for a message, looks for the peer that the person names, delegates the question, waits for
the answer, replies to the person, removes the answer and says when all is done. It never looks for an answer except by
wait_for_message, and gives up after a few waits that brought nothing new.
"""

import re
from dataclasses import dataclass

from model.conversation import Say, Use, objects_in, offered_name, SEARCHES

SEARCHES_AT_MOST = 8
DONE = "All done."
ASK = re.compile(r"Ask (\w+): (.+)")
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
CHANNEL = re.compile(r"<channel ([^>]*)>\s*(.*?)\s*</channel>", re.DOTALL)


@dataclass
class Message:
    id: str
    text: str
    kind: str
    task: str = ""


class Model:
    """Settings of one model: how long a wait takes, after how many waits without anything new it
    gives up, and whether it waits for its first message, which it need not where the host pushes
    messages into the conversation."""

    needs_tools = True

    def __init__(self, wait_seconds=15, idle_waits=4, waits_first=True):
        self.wait_seconds, self.idle_waits, self.waits_first = wait_seconds, idle_waits, waits_first

    def step(self, conversation):
        state = State(conversation)
        wanted = self.choose(state)
        if isinstance(wanted, Say):
            return wanted
        name = offered_name(conversation, wanted.name)
        if name:
            return Use(name, wanted.arguments)
        return search(conversation, wanted.name)

    def choose(self, state):
        if not state.messages and not self.waits_first:
            return Say("Ready.")
        for message in state.unanswered():
            step = answer(state, message)
            if step:
                return step
        used = state.used_answers()
        if used:
            return Use("inbox_pop", {"activity_id": used[0].id})
        if state.replied and not state.open_tasks() and not state.told:
            return Use("send_message_to_user", {"message": DONE})
        if state.told:
            return Say(DONE)
        if state.idle_waits >= self.idle_waits:
            return Say(f"Nothing more came. The inbox said: {state.last_wait}")
        return Use("wait_for_message", {"timeout_secs": self.wait_seconds})


class State:
    """What the model knows from the conversation so far."""

    def __init__(self, conversation):
        self.messages, self.peers, self.tasks, self.replied = {}, None, {}, set()
        self.removed, self.told = set(), False
        self.idle_waits, self.last_wait = 0, ""
        for text in conversation.texts:
            for attributes, words in CHANNEL.findall(text):
                fields = dict(re.findall(r'(\w+)="([^"]*)"', attributes))
                self.add(Message(fields.get("activity_id", ""), words, fields.get("kind", ""),
                                 fields.get("task_id", "")))
        for call in conversation.calls:
            getattr(self, f"see_{call.tool}", lambda _: None)(call)

    def add(self, message):
        """False for a message that the model has seen before; a wait may say more of it."""
        if not message.id:
            return False
        known = self.messages.setdefault(message.id, message)
        known.kind, known.task = message.kind, message.task or known.task
        return known is message

    def see_wait_for_message(self, call):
        self.last_wait = call.result
        found = [Message(o["activity_id"], str(o["text"]), o["kind"], o.get("task_id") or "")
                 for o in objects_in(call.result) if {"activity_id", "text", "kind"} <= o.keys()]
        fresh = [self.add(message) for message in found]
        self.idle_waits = 0 if any(fresh) else self.idle_waits + 1

    def see_list_peers(self, call):
        self.peers = call.result

    def see_delegate_task(self, call):
        self.tasks[call.arguments.get("task")] = call.result
        self.idle_waits = 0

    def see_reply(self, call):
        self.replied.add(call.arguments.get("activity_id"))

    def see_inbox_pop(self, call):
        self.removed.add(call.arguments.get("activity_id"))

    def see_send_message_to_user(self, _):
        self.told = True

    def unanswered(self):
        """The person's messages that have no reply yet, the short ones first."""
        mine = [m for m in self.messages.values()
                if m.kind == "canvas_user" and m.id not in self.replied]
        return sorted(mine, key=lambda m: bool(ASK.search(m.text)))

    def used_answers(self):
        """Answers of peers that the person was told, and that are still in the inbox."""
        told = [m for m in self.messages.values() if m.id in self.replied]
        tasks = [found[2].strip() for m in told if (found := ASK.search(m.text))]
        answers = [self.answer_to(task) for task in tasks if task in self.tasks]
        return [m for m in answers if m and m.id not in self.removed]

    def open_tasks(self):
        return [m for m in self.unanswered() if ASK.search(m.text)]

    def answer_to(self, task):
        """The message that answers this task, by the id that delegate_task named."""
        ids = re.findall(UUID, self.tasks[task])
        return next((m for m in self.messages.values() if m.task and m.task in ids), None)

    def peer_id(self, name):
        """The id that list_peers shows beside this name, whatever the host made of the text."""
        beside = (re.search(rf"\b{name}\b[^\n]{{0,20}}?({UUID})", self.peers)
                  or re.search(rf"({UUID})[^\n]{{0,40}}?\b{name}\b", self.peers))
        return beside and beside[1]


def answer(state, message):
    """The next step for this message of the person; None while the model has to wait for a peer."""
    asked = ASK.search(message.text)
    if not asked:
        return Use("reply", {"activity_id": message.id, "text": f"Understood: {message.text}"})
    peer, task = asked[1], asked[2].strip()
    if state.peers is None:
        return Use("list_peers", {})
    if task not in state.tasks:
        id = state.peer_id(peer)
        if not id:
            return Say(f"No peer {peer}: {state.peers}")
        return Use("delegate_task", {"workspace_id": id, "task": task})
    answered = state.answer_to(task)
    if not answered:
        return None
    return Use("reply", {"activity_id": message.id, "text": f"{peer} says: {answered.text}"})


def search(conversation, tool):
    """Hosts that keep tools back until they are looked for offer a search."""
    name = next((n for n in conversation.tools if n.lower() in SEARCHES), None)
    searched = sum(call.name == name for call in conversation.calls)
    if not name or searched >= SEARCHES_AT_MOST:
        return Say(f"There is no tool {tool}.")
    if name == "ToolSearch":
        return Use(name, {"query": f"select:mcp__molecule__{tool}", "max_results": 5})
    return Use(name, {"query": f"molecule {tool.replace('_', ' ')}"})
