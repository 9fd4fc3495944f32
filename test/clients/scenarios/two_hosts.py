"""Two runs of the host on one workspace, both waiting, and two messages for them."""

from scenarios import checks

QUESTIONS = ("Which city is the capital of Peru?", "Which river flows through Lima?")


def run(lab):
    sessions = [lab.start(), lab.start()]
    if all([session.until_waiting() for session in sessions]):
        for question in QUESTIONS:
            lab.person_says(checks.request_for(question))
        for session in sessions:
            session.finish()
    for session in sessions:
        checks.connected(lab, session)
    counts = [sum(handed(session, question) for question in QUESTIONS) for session in sessions]
    lab.check("each waiting host gets one message", counts == [1, 1],
              f"one got {counts[0]}, the other one {counts[1]}")
    for question in QUESTIONS:
        checks.delegated(lab, question)
    checks.no_message_again(lab, *sessions)
    for question in QUESTIONS:
        asked = [s for s in sessions if delegated(s, question)]
        got = [s for s in sessions if answered(s, question)]
        lab.check("an answer goes to the host that asked", asked and got == asked,
                  "to the other one" if got else "to none")
        checks.shown(lab, "each message is answered, once", checks.reply_for(question))
    for session in sessions:
        checks.ended(lab, session)


def handed(session, question):
    return bool(checks.given_by_wait(session, checks.request_for(question)))


def delegated(session, question):
    return any(call.arguments.get("task") == question
               for call in session.wire.calls("delegate_task"))


def answered(session, question):
    return bool(checks.given_by_wait(session, checks.answer_to(question)))
