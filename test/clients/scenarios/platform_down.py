"""The platform is down when the host starts, and comes up while the agent waits."""

import re

from model.script import Model
from scenarios import checks

GREETING = "Good morning."
REASON = re.compile(r"reach|refused|connect|unavailable|is down", re.IGNORECASE)


def run(lab):
    lab.platform.stop()
    session = lab.start(Model(wait_seconds=10, idle_waits=6))
    first = session.until(lambda: [c for c in session.wire.calls("wait_for_message") if c.result],
                          90)
    lab.platform.restart()
    if first:
        lab.person_says(GREETING)
        session.finish()
    checks.connected(lab, session)
    said = [call.text() for call in session.wire.calls("wait_for_message")][:1]
    lab.check("the first wait says that the platform cannot be reached",
              said and REASON.search(said[0]),
              checks.first_of(said, session))
    checks.message_came(lab, session, GREETING)
    checks.shown(lab, "the message is answered once the platform is up",
                 f"Understood: {GREETING}")
    checks.ended(lab, session)
