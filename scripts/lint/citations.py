"""What a text refers to exists: documents by name, sections of docs/spec/, links in Markdown.

Code, tests and documents cite a rule as `<name>.md <section>`, for instance `lessons.md 2.18`; several
sections are joined by commas, `and` or `to`. The sections of a document are its numbered headings
(`### 4.1 …`) and its anchors (`<a id="2.18"></a>`).
"""

import re

from support import ROOT, check_samples, finish, skip, tracked_files

TEXT = (".cpp", ".hpp", ".h", ".c", ".py", ".mjs", ".ts", ".tsx", ".sql", ".sh", ".yml", ".md", ".build",
        ".txt", "")
# Files of that ending which are no documents of ours: what agent hosts read, what tests send.
FOREIGN = {"CLAUDE.md", "AGENTS.md", "SKILL.md", "GEMINI.md"}

SECTION = r"\d+(?:\.\d+)*"
CITATION = re.compile(rf"(?<![\w./-])([A-Za-z][\w-]*\.md)\b(?:\)?(?:'s)?(?:,? sections?)? ({SECTION}"
                      rf"(?:(?:, | and | to |, and ){SECTION}(?![\w%]))*)(?![\w%]))?")
HEADING = re.compile(r"^#{1,6} +(.*?) *#*$", re.MULTILINE)
ANCHOR = re.compile(r'<a (?:id|name)="([^"]+)">')
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def without_fences(text):
    """The Markdown text with its code blocks empty, every line where it was."""
    return FENCE.sub(lambda block: "\n" * block[0].count("\n"), text)


def slug(heading):
    """The anchor that a heading gets on the usual forges."""
    words = re.sub(r"`|\*|<[^>]*>|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


class Document:
    """What can be referred to in one Markdown file."""

    def __init__(self, text):
        text = without_fences(text)
        headings = HEADING.findall(text)
        anchors = set(ANCHOR.findall(text))
        self.sections = anchors | {number[0] for heading in headings
                                   if (number := re.match(SECTION, heading))}
        self.anchors = anchors | {slug(heading) for heading in headings}


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def check_citations(path, text, documents, names):
    for cited in CITATION.finditer(text):
        name, sections = cited[1], cited[2]
        line = line_of(text, cited.start())
        if name in FOREIGN:
            continue
        if name not in names:
            yield path, line, f"there is no {name}"
        elif name in documents and sections:
            for section in re.findall(SECTION, sections):
                if section not in documents[name].sections:
                    yield path, line, f"{name} has no section {section}"


def check_links(root, path, text, anchors_of):
    for link in LINK.finditer(text):
        target, _, anchor = link[1].partition("#")
        line = line_of(text, link.start())
        if re.match(r"[a-z]+:", target):
            continue
        file = (root / path.parent / target).resolve() if target else root / path
        if not file.exists() or not file.is_relative_to(root):
            yield path, line, f"the link leads nowhere: {link[1]}"
        elif anchor and file.suffix == ".md" and anchor not in anchors_of(file):
            yield path, line, f"{target or path.name} has no anchor {anchor}"


def find(root, files=None):
    """(path, line number, text) of each finding."""
    root = root.resolve()
    if files is None:
        files = sorted(p.relative_to(root) for p in root.rglob("*") if p.is_file())
    names = {path.name for path in files if path.suffix == ".md"}
    documents = {path.name: Document((root / path).read_text()) for path in files
                 if path.parts[:2] == ("docs", "spec") and path.suffix == ".md" and path.name != "README.md"}
    anchors = {}

    def anchors_of(file):
        if file not in anchors:
            anchors[file] = Document(file.read_text()).anchors
        return anchors[file]

    for path in files:
        if path.suffix not in TEXT:
            continue
        try:
            text = (root / path).read_text()
        except UnicodeDecodeError:
            continue
        if path.suffix == ".md":
            text = without_fences(text)
        yield from check_citations(path, text, documents, names)
        if path.suffix == ".md":
            yield from check_links(root, path, text, anchors_of)


def main():
    wrong = list(check_samples("citations", find))
    if not wrong and not (ROOT / "docs" / "spec").is_dir():
        skip("there is no docs/spec")
    samples = ("scripts", "lint", "samples")
    files = [path for path in tracked_files()
             if path.parts[:3] != samples and "corpus" not in path.parts]
    finish(wrong + [f"{path}:{line}: {text}" for path, line, text in find(ROOT, files)])


if __name__ == "__main__":
    main()
