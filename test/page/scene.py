"""A platform with something to look at, made by the calls that agents and people make."""

import uuid

LONG_NAME = "the agent whose name nobody could shorten because it explains everything it does at length"


class Scene:
    def __init__(self, platform):
        self.platform = platform
        self.agents = {}

    def agent(self, name, online=True, **fields):
        made = self.platform.create_workspace(name, **fields)
        self.agents[name] = made
        if online:
            self.register(name)
        return made

    def register(self, name, skills=(), **card):
        reply = self.platform.register(self.agents[name], agent_card={
            "name": name, "skills": [{"name": skill} for skill in skills], **card})
        assert reply.status == 200, reply

    def says(self, name, text, **fields):
        reply = self.platform.request("POST", f"/workspaces/{self.agents[name].id}/notify",
                                      self.agents[name].token, {"message": text, **fields})
        assert reply.status == 200, reply

    def asks(self, sender, target, text, **metadata):
        message = {"role": "user", "messageId": str(uuid.uuid4()),
                   "parts": [{"kind": "text", "text": text}], "metadata": metadata}
        reply = self.platform.request(
            "POST", f"/workspaces/{self.agents[target].id}/a2a", self.agents[sender].token,
            {"method": "message/send", "params": {"message": message}},
            headers={"X-Workspace-ID": self.agents[sender].id})
        assert reply.status == 200, reply
        return message["messageId"]

    def delegates(self, sender, target, task):
        reply = self.platform.request("POST", f"/workspaces/{self.agents[sender].id}/delegate",
                                      self.agents[sender].token,
                                      {"target_id": self.agents[target].id, "task": task})
        assert reply.status in (200, 202), reply
        return reply.body["delegation_id"]

    def requests(self, name, kind, title, **fields):
        reply = self.platform.request("POST", f"/workspaces/{self.agents[name].id}/requests",
                                      self.agents[name].token, {"kind": kind, "title": title, **fields})
        assert reply.status == 201, reply
        return reply.body["request_id"]

    def person_says(self, name, text):
        assert self.platform.send(self.agents[name], text).status == 200

    def remembers(self, name, text, scope="LOCAL"):
        reply = self.platform.request("POST", f"/workspaces/{self.agents[name].id}/memories",
                                      self.agents[name].token, {"content": text, "scope": scope})
        assert reply.status == 201, reply

    def inbox(self, name):
        return self.platform.activity(self.agents[name], type="a2a_receive").body


def workshop(platform):
    """A small team at work: what the screenshots show."""
    scene = Scene(platform)
    lead = scene.agent("Ada", role="leads the research, talks to people")
    scene.register("Ada", ["planning", "summaries", "statistics", "writing", "review"])
    for name, role in (("Ben", "reads papers"), ("Cleo", "writes and runs code"), ("Dora", "keeps the calendar")):
        scene.agent(name, role=role, parent_id=lead.id)
    scene.register("Ben", ["search", "reading"])
    scene.register("Cleo", ["python", "c++"])
    scene.agent("Emil", online=False, role="answers mail")
    scene.agent("ops-watch", role="watches the servers")
    scene.agent(LONG_NAME, role="has a role that is just as long and tells of everything that it ever did")
    scene.platform.heartbeat(scene.agents["Cleo"], active_tasks=2, current_task="Running the benchmark of the queue, 3 of 8")
    scene.platform.heartbeat(scene.agents["ops-watch"], error_rate=0.7, sample_error="connect to db-2: timed out after 5 s")
    scene.person_says("Ada", "Which of the three papers should I read first?")
    scene.says("Ada", "Start with **the second one**. In short:\n\n1. it has the data,\n2. the other two build on it.\n\n"
                      "| paper | pages | worth it |\n|---|---|---|\n| Lamport | 12 | yes |\n| Gray | 40 | later |\n\n"
                      "```python\nfor paper in papers:\n    print(paper.title)\n```")
    scene.person_says("Ada", "Thanks! And who can run the numbers again?")
    task = scene.delegates("Ada", "Ben", "Find the newest citation of the second paper")
    scene.asks("Ben", "Ada", "It is from 2025, by Ito and Silva.", in_reply_to=task)
    scene.delegates("Ada", "Cleo", "Run the benchmark with 16 workers")
    for number in range(6):
        scene.asks("Cleo", "Ben", f"Is table {number + 1} measured or estimated?")
    scene.asks("Ben", "Cleo", "All of them are measured.")
    scene.says("Ada", "Cleo is at it: I will tell you when the numbers are there.")
    scene.requests("Ada", "task", "Tell me which journal you want to submit to",
                   detail="Both deadlines are close:\n\n- **JOSS**: 1 December\n- **TOPLAS**: 15 December")
    scene.requests("Cleo", "approval", "Delete the old benchmark results (2.1 GB)", priority=2,
                   detail="They are in `/srv/results/2024`. Nothing links to them any more.")
    scene.requests("ops-watch", "approval", "Restart db-2", detail="It has not answered for five minutes.")
    scene.remembers("Ada", "The person prefers short answers with the reason first.")
    scene.remembers("Ada", "The team meets on Thursdays at ten.", "TEAM")
    return scene


def many(platform, count):
    scene = Scene(platform)
    for number in range(count):
        scene.agent(f"agent {number:03}", role="one of many", online=number % 5 != 0)
    return scene


