"""The platform does not know the token, and `MOLECULE_MCP_STAY` is set: the agent and its user get
to know why."""

import re

from model.script import Model
from scenarios import checks

WRONG = "wrong-token-of-some-length"
REASON = re.compile(r"MOLECULE_WORKSPACE_TOKEN|token.{0,80}(invalid|reject|refuse|revoke)"
                    r"|(invalid|reject|refuse|revoke).{0,80}token", re.IGNORECASE | re.DOTALL)


def run(lab):
    session = lab.start(Model(wait_seconds=2, idle_waits=2),
                        MOLECULE_WORKSPACE_TOKEN=WRONG)
    session.finish()
    checks.connected(lab, session)
    said = [call.text() for call in session.wire.calls("wait_for_message")]
    lab.check("wait_for_message says that the token is at fault",
              said and all(REASON.search(text) for text in said),
              checks.first_of(said, session))
    lab.check("the host's user reads it", REASON.search(session.output()),
              checks.tail(session))
    checks.ended(lab, session)
