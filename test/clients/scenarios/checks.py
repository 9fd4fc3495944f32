"""Steps that several scenarios have in common. Each says what is right, not what is usual."""

from collections import Counter

from model.script import DONE
from peer import answer_to

QUESTION = "Which city is the capital of Peru?"
PEER_SECONDS = 10  # it polls every 5 s


def request_for(question):
    return f"Ask beta: {question}"


def reply_for(question):
    return f"beta says: {answer_to(question)}"


def times(count):
    return "not at all" if count == 0 else f"{count} times"


def connected(lab, session):
    tools = session.wire.tools()
    lab.check("the host lists the tools", tools, f"no tools/list; {tail(session)}")


def given_by_wait(session, text):
    """The messages with this text, as often as a wait gave them."""
    return [m for m in session.wire.messages_handed_out() if m["text"] == text]


def message_came(lab, session, text):
    """A wait gave the person's message, and gave it once."""
    given = given_by_wait(session, text)
    lab.check("the person's message comes by wait_for_message, once", len(given) == 1,
              times(len(given)))


def delegated(lab, question):
    if any(session.wire.calls("delegate_task") for session in lab.sessions):
        lab.until(lambda: question in lab.peer.tasks, PEER_SECONDS)
    count = lab.peer.tasks.count(question)
    lab.check("the peer gets the task, once", count == 1, times(count))


def answer_came(lab, session, question):
    """A wait gave the peer's answer as what it is, and gave it once."""
    given = given_by_wait(session, answer_to(question))
    if not given:
        waits = len(session.wire.calls("wait_for_message"))
        lab.check("the answer comes by wait_for_message", False, f"not in {waits} waits")
        return
    kinds = [m["kind"] for m in given]
    lab.check("the answer comes by wait_for_message, once, as delegation_result",
              kinds == ["delegation_result"], ", ".join(kinds))
    results = " ".join(call.text() for call in session.wire.calls("delegate_task"))
    ids = [m.get("task_id") for m in given]
    lab.check("the answer names its task", all(id and id in results for id in ids), f"{ids}")


def no_message_again(lab, *sessions):
    """No message was given twice, to whatever session."""
    given = Counter(m["activity_id"] for s in sessions for m in s.wire.messages_handed_out())
    most = max(given.values(), default=0)
    lab.check("no message is given twice", most <= 1, f"one was given {most} times")


def shown(lab, what, text, count=1):
    seen = sum(text in line for line in lab.shown_to_person())
    lab.check(what, seen == count, times(seen))


def ended(lab, session):
    session.code = session.process.poll()
    how = "still running at the deadline" if session.code is None else f"exit {session.code}"
    lab.check("the host ends by itself", session.code == 0, f"{how}; {tail(session)}")


def gone(lab, session):
    lab.until(lambda: not session.wire.processes_left(), 5)
    lab.check("molecule-mcp ends with its host", not session.wire.processes_left(), "it runs on")


def first_of(results, session):
    """What the first call gave, for a table's cell."""
    if not results:
        return f"never called; {tail(session)}"
    return results[0][:160] or "the call has no result"


def tail(session):
    """The last words of the host, for a table's cell."""
    words = " ".join(session.output().split())
    return f"the host says: …{words[-160:]}" if words else "the host says nothing"
