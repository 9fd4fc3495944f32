"""An interactive host without the channel flag idles beside a host that waits: the message goes to
the one that waits."""

from model.script import Model
from scenarios import checks, turn
from scenarios.checks import QUESTION
from terminal import Terminal

NEEDS = "interactive"
SECONDS = 60


def run(lab):
    idle = lab.start(Model(waits_first=False), Terminal())
    lab.check("the idle host starts", idle.until(idle.wire.initialized, SECONDS), checks.tail(idle))
    waiting = lab.start()
    if waiting.until_waiting():
        lab.person_says(checks.request_for(QUESTION))
        waiting.finish()
    turn.whole_turn(lab, waiting)
    checks.ended(lab, waiting)
    idle.end()
    checks.gone(lab, idle)
