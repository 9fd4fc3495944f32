"""The platform does not know the token, and `MOLECULE_MCP_STAY` is not set: what the host asks first
is answered, then molecule-mcp says why and ends with exit code 3."""

from model.script import Model
from scenarios import checks
from scenarios.bad_token import REASON, WRONG


def run(lab):
    session = lab.start(Model(wait_seconds=2, idle_waits=2), MOLECULE_WORKSPACE_TOKEN=WRONG,
                        MOLECULE_MCP_STAY=None)
    session.finish()
    checks.connected(lab, session)
    session.end()
    codes = session.wire.exits()
    # Later revisions know no message that nobody asked for; there, and where a host is quick to
    # leave, what it asked was answered with the reason.
    said = [str(note["params"]) for note in session.wire.notified("notifications/message")
            if note["params"].get("level") == "error"]
    said += [call.text() for call in session.wire.calls("wait_for_message")]
    lab.check("an error-level log message or the answer to a wait says why",
              any(map(REASON.search, said)), said[-1] if said else "neither of them")
    # 0 where the host has closed it before; none where the host has killed all it had started.
    lab.check("molecule-mcp ends with exit code 3, or with its host", set(codes) <= {0, 3},
              f"exit codes {codes}")
    checks.gone(lab, session)
