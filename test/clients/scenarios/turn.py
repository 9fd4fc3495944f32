"""A whole turn: wait, list_peers, delegate, wait for the answer, reply, remove the answer, tell the
user."""

from scenarios import checks
from scenarios.checks import QUESTION


def run(lab):
    session = lab.start()
    if session.until_waiting():
        lab.person_says(checks.request_for(QUESTION))
        session.finish()
    whole_turn(lab, session)
    checks.ended(lab, session)
    checks.gone(lab, session)


def whole_turn(lab, session):
    checks.connected(lab, session)
    checks.message_came(lab, session, checks.request_for(QUESTION))
    peers = session.wire.calls("list_peers")
    lab.check("list_peers names the peer", any(lab.beta.id in call.text() for call in peers),
              f"called {checks.times(len(peers))}")
    checks.delegated(lab, QUESTION)
    checks.answer_came(lab, session, QUESTION)
    checks.no_message_again(lab, session)
    checks.shown(lab, "the person gets the reply, once", checks.reply_for(QUESTION))
    checks.shown(lab, "the person is told that all is done, once", checks.DONE)
