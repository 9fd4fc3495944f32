"""An interactive host that nobody types into is woken by the person's message (channels)."""

from model.script import Model
from scenarios import checks
from scenarios.checks import QUESTION
from terminal import Terminal

NEEDS = "interactive"
SECONDS = 90


def run(lab):
    session = lab.start(Model(waits_first=False), Terminal(), channels=True)
    ready = session.host.accept_channels(session)
    lab.check("the host starts with the channel", ready, checks.tail(session))
    session.until(session.wire.initialized, SECONDS)
    lab.person_says(checks.request_for(QUESTION))
    session.until(lambda: checks.DONE in lab.shown_to_person(), SECONDS)
    checks.connected(lab, session)
    woken = QUESTION in " ".join(session.model.heard)
    lab.check("the message wakes the agent", woken, "the model never saw it")
    given = checks.given_by_wait(session, checks.request_for(QUESTION))
    lab.check("a wait gives the pushed message at most once", len(given) <= 1,
              checks.times(len(given)))
    checks.delegated(lab, QUESTION)
    answers = checks.given_by_wait(session, checks.answer_to(QUESTION)) + [
        push["params"]["meta"] for push in session.wire.notified("notifications/claude/channel")
        if push["params"]["content"] == checks.answer_to(QUESTION)]
    kinds = sorted({answer["kind"] for answer in answers})
    lab.check("the answer comes by a wait or a push, as delegation_result",
              kinds == ["delegation_result"], ", ".join(kinds) or "not at all")
    checks.shown(lab, "the person gets the reply, once", checks.reply_for(QUESTION))
    checks.shown(lab, "the person is told that all is done, once", checks.DONE)
    session.end()
    checks.gone(lab, session)
