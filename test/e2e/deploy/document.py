"""The blocks of docs/deploy.md, by section."""

import re
import typing
from pathlib import Path

DOCUMENT = Path(__file__).parents[3] / "docs" / "deploy.md"


class Block(typing.NamedTuple):
    language: str
    text: str

    @property
    def file(self):
        """The file whose content it is, which its first line names; None for commands."""
        first = self.text.partition("\n")[0]
        match = re.fullmatch(r"# (/etc/\S+)", first)
        return match[1] if match else None


def sections():
    """{heading: its blocks, in order}, without those that have none."""
    found, heading, lines, language = {}, None, [], None
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("```"):
            if language is None:
                language, lines = line[3:], []
            else:
                found.setdefault(heading, []).append(Block(language, "\n".join(lines) + "\n"))
                language = None
        elif language is not None:
            lines.append(line)
        elif line.startswith("#"):
            heading = line.lstrip("# ")
    return found
