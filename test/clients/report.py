"""Results, for people: lines while the run goes on, and the page of hosts at its end."""

from dataclasses import dataclass

import scenarios

BEGIN, END = "<!-- written by test/clients/run.py -->\n", "<!-- /hosts -->"
HEAD = """\
Each host runs its real program with a temporary HOME, no login, and a scripted model on loopback.
The model does what the server's instructions say and nothing else: it waits with
`wait_for_message`, calls `list_peers`, delegates the person's question to a peer that polls, waits
for the answer, replies, removes the answer, and tells the user that all is done.
"""


@dataclass
class Result:
    host: object
    scenario: str
    steps: list  # (what is right, whether it was so, what was seen instead)
    revision: str
    seconds: float

    @property
    def right(self):
        return bool(self.steps) and all(step[1] for step in self.steps)

    def failed(self):
        return [step for step in self.steps if not step[1]]


def lines(result):
    right = sum(step[1] for step in result.steps)
    first = (f"{result.host.title} {result.host.version}, {result.scenario}: {right} of "
             f"{len(result.steps)} steps in {result.seconds:.0f} s")
    return "\n".join([first, *(f"    FAIL {step}: {why}" for step, _, why in result.failed())])


def cell(result):
    if result is None:
        return "–"
    if result.right:
        return f"all {len(result.steps)}"
    return f"{len(result.failed())} of {len(result.steps)} fail"


def write(page, block):
    """Puts the block into its place on the page, or at the end of one that has no such place."""
    text = page.read_text() if page.exists() else "# Agent hosts\n\n"
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}{block}{END}{after or chr(10)}")


def block(results, skipped, day, alone):
    names = [name for name in scenarios.ALL if any(r.scenario == name for r in results)]
    by_host = {}
    for result in results:
        by_host.setdefault(result.host, {})[result.scenario] = result
    network = "in a network with loopback only" if alone else "with the machine's network"
    out = [HEAD, f"Run on {day}, {network}; – means that the scenario was not run.\n",
           f"| host | version | revision | {' | '.join(names)} | to set |",
           f"|---|---|---|{'---|' * len(names)}---|"]
    for host, of in by_host.items():
        revision = next((r.revision for r in of.values() if r.revision), "–")
        cells = " | ".join(cell(of.get(name)) for name in names)
        out.append(f"| {host.title} | {host.version} | {revision} | {cells} | {host.note} |")
    for host, why in skipped.items():
        out.append(f"| {host.title} | {host.version} | – |{' – |' * len(names)} "
                   f"skipped: {plain(why)} |")
    out += ["", *(f"- **{name}**: {plain(scenarios.ALL[name].__doc__)}" for name in names)]
    failed = {}
    for result in results:
        for step, _, why in result.failed():
            failed.setdefault((result.scenario, step), {}).setdefault(result.host.title, why)
    if failed:
        out += ["", "Steps that fail, and what the first of the hosts saw instead:", "",
                "| scenario | what is right | seen | by |", "|---|---|---|---|"]
        for (name, step), by in failed.items():
            ran = sum(name in of for of in by_host.values())
            who = "all" if len(by) == ran else ", ".join(by)
            out.append(f"| {name} | {step} | {plain(next(iter(by.values())))} | {who} |")
    return "\n".join(out) + "\n"


def plain(text):
    """For a cell: one line, and no Markdown or HTML of its own."""
    text = "".join(c if c.isprintable() or c.isspace() else " " for c in text)
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())
