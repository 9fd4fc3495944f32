"""The person writes again while the agent holds the first message and waits for a peer."""

from scenarios import checks
from scenarios.checks import QUESTION

SECOND = "STOP: use the metric system."
SECONDS = 30


def run(lab):
    lab.peer.may_answer.clear()
    session = lab.start()
    if session.until_waiting():
        lab.person_says(checks.request_for(QUESTION))
        session.until(lambda: session.wire.calls("delegate_task"), SECONDS)
        lab.person_says(SECOND)
        before = session.until(lambda: replied(lab), SECONDS)
        waits = len(session.wire.calls("wait_for_message"))
        gone = "" if session.running() else f"; the agent gave up after {waits} waits"
        lab.check("the second message is answered before the peer has answered", before,
                  f"not within {SECONDS} s{gone}")
        lab.peer.may_answer.set()
        session.finish()
    checks.message_came(lab, session, SECOND)
    checks.shown(lab, "the second message is answered, once", f"Understood: {SECOND}")
    checks.answer_came(lab, session, QUESTION)
    checks.no_message_again(lab, session)
    checks.shown(lab, "the first message is answered, once", checks.reply_for(QUESTION))
    checks.ended(lab, session)


def replied(lab):
    return [line for line in lab.shown_to_person() if SECOND in line]
