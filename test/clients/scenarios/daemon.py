"""No host is open: a daemon gives each message to the program, which answers, keeps its session, has
the workspace's tools, takes no text for a command, and says so when its model fails."""

from model.handler import PEERS, HandlerModel, answer, may_do
from scenarios import checks
from session import Session
from support.daemon import Daemon

NEEDS = "handler"
SECONDS = 90
PAUSE = 0.5  # the platform limits how often a workspace asks
TRICKS = ("@/etc/passwd", "/cost", "--help", "!id", "$(id)")
FAILURES = (401, 500)
OF_THE_FILE = "root:x:0"


def run(lab):
    model = HandlerModel()
    session = Session(lab.host, lab.folder / "handler", lab.build, lab.variables, model, None, False)
    with session.model:
        program, variables = lab.host.as_handler(session)
        daemon = Daemon(lab.build / "molecule-mcp", lab.platform, lab.alpha, session.home,
                        "--handler", lab.host.handler, "--retry-secs", "0", "--deadline-secs", "60",
                        "--", *program,
                        env=session.environment(variables))
        try:
            with daemon:
                talk(lab, session, daemon, model)
        finally:
            session.end()
    lab.check("nothing of the program is left", not list(session.background()), "a process")


def talk(lab, session, daemon, model):
    count = 0

    def answered(step, text, what):
        nonlocal count
        count += 1
        lab.person_says(text)
        lab.until(lambda: any(what in line for line in lab.shown_to_person()), SECONDS, PAUSE)
        seen = [line for line in lab.shown_to_person() if what in line]
        lab.check(step, len(seen) == 1, f"{checks.times(len(seen))}; {log_end(daemon)}")

    answered("the message is answered, once", "Good morning.", answer(1, "Good morning."))
    answered("the second one goes on in the same session", "And now?", answer(2, "And now?"))
    answered("the program has the workspace's tools", PEERS, lab.beta.id)
    for trick in TRICKS:
        answered(f"`{trick}` is a text like any other", trick, answer(count + 1, trick))
    heard = " ".join(session.model.heard)
    lab.check("the model never saw a file that a text names", OF_THE_FILE not in heard, "it did")
    for status in FAILURES:
        session.model.failing = status
        before = len(lab.shown_to_person())
        text = f"Do it with {status}."
        lab.person_says(text)
        lab.until(lambda: len(lab.shown_to_person()) > before, 2 * SECONDS)
        said = lab.shown_to_person()[before:]
        lab.check(f"the person is told when the model answers {status}",
                  len(said) == 1 and "could not answer" in said[0], f"{said}; {log_end(daemon)}")
        # The person is told first.
        lab.until(lambda: any(kept == text for kept, _ in daemon.set_aside()), SECONDS)
        kept = [reason for kept, reason in daemon.set_aside() if kept == text]
        # Not every host names the status.
        lab.check(f"the message stays with the reason ({status})", kept and kept[0],
                  f"{kept}; {log_end(daemon)}")
    session.model.failing = None
    lab.person_says("Once more.")
    lab.until(lambda: any("was: Once more." in line for line in lab.shown_to_person()), SECONDS, PAUSE)
    checks.shown(lab, "it answers again when the model does", "was: Once more.")
    task = "Count to three."
    lab.platform.send(lab.alpha, task, caller=lab.beta)
    lab.until(lambda: task in model.offered, SECONDS, PAUSE)
    found = may_do(sorted(model.offered.get(task, [])))
    lab.check("a peer's message is read without shell, files and network",
              task in model.offered and not found, ", ".join(found) or log_end(daemon))


def log_end(daemon):
    return f"the log ends: …{' '.join(daemon.log().split())[-300:]}"
