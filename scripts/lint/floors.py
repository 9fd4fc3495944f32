"""A room includes only its own headers and those of rooms on floors below (docs/ARCHITECTURE.md).

Every include is resolved to the file that the compiler would take, whatever way it is written:
relative to its file, from src/ or include/, in quotes or angle brackets, over several lines, as
`import`. One that is ours names room and file; one in quotes that is nowhere is a finding.
"""

import pathlib
import re
from dataclasses import dataclass

from support import ROOT, check_samples, finish

FLOORS = {"app": 6, "cli": 5, "daemon": 5, "tools": 4, "workspace": 3, "server": 3, "platform": 2,
          "mcp": 2, "net": 1, "base": 0}

# One wrapper a library: which part of the tree may include its headers.
LIBRARIES = {"curl/": "net", "sqlite3.h": "base", "simdjson.h": "base", "restinio/": "server/http",
             "http_parser.h": "server/http", "openssl/": "server", "libpq-fe.h": "server/store",
             "CLI/": "app", "toml++/": "base"}


@dataclass(frozen=True)
class Keeper:
    """Inside `room`, only `folder` (if any) may include `header`."""
    header: str
    room: str
    folder: str


KEEPERS = (
    Keeper("base/sqlite/sqlite.hpp", "server", "server/store"),
    Keeper("base/sqlite/sqlite.hpp", "workspace", "workspace/store"),
    Keeper("base/sqlite/sqlite.hpp", "tools", ""),
)

CODE = (".cpp", ".hpp", ".h", ".hh", ".cc", ".cxx", ".hxx", ".ipp", ".inl", ".inc")
# Comments, and literals that may look like one or hold lines that look like directives.
LEXEMES = re.compile(r'(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<raw>R"(?P<end>[^()\\\s]{0,16})\(.*?\)(?P=end)")'
                     r'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*\'''', re.DOTALL)
DIRECTIVE = re.compile(r"\s*(?:#|%:)\s*(?:include|include_next|import)(?![\w])\s*(.*)")
MODULE = re.compile(r"\s*(?:export\s+)?import\s*([\"<].*|[\w.:]+\s*;)")
NAME = re.compile(r'"([^"]+)"|<([^>]+)>')
# Stand for a newline that ends no line: of a continued line, of a comment.
SPLICE, INNER = "\0", "\1"


def logical_lines(text):
    """(number, line) of each line as the preprocessor sees it: continued lines joined, without
    comments and raw strings."""
    def blank(match):
        if match["comment"] is None and match["raw"] is None:
            return match[0]
        return (" " if match["comment"] else '""') + INNER * (match[0].count("\n") + match[0].count(SPLICE))

    text = LEXEMES.sub(blank, text.replace("\\\n", SPLICE))
    number = 1
    for line in text.split("\n"):
        yield number, line.replace(SPLICE, "").replace(INNER, " ")
        number += 1 + line.count(SPLICE) + line.count(INNER)


def includes(text):
    """(line number, name, is it in quotes) of each include; the name is None where a macro or a
    module stands in its place."""
    for number, line in logical_lines(text):
        if found := DIRECTIVE.match(line) or MODULE.match(line):
            name = NAME.match(found[1])
            yield number, name and (name[1] or name[2]), bool(name and name[1])


def room_of(path):
    """The room of a file below the project's root, or None."""
    if path.parts[0] == "src" and len(path.parts) > 2:
        return path.parts[1]
    if path.parts[:2] == ("include", "molecule") and len(path.parts) > 3:
        return path.parts[2]
    return None


def resolve(root, path, name, quoted):
    """The file of ours that the compiler takes, relative to the root, and the name it should have
    been given; (None, None) where it is none of ours."""
    folders = ([path.parent] if quoted else []) + [pathlib.Path("src"), pathlib.Path("include")]
    for folder in folders:
        file = (root / folder / name).resolve()
        if file.is_file() and file.is_relative_to(root):
            target = file.relative_to(root)
            return target, "/".join(target.parts[1:])
    return None, None


def check_include(root, path, name, quoted):
    """Yields what is wrong with one include of `path`."""
    room = room_of(path)
    folder = "/".join(path.parts[1:-1])
    if name is None:
        yield "an include must name a file"
        return
    target, proper = resolve(root, path, name, quoted)
    if target is None:
        if quoted:
            yield f'"{name}" is no file of this project'
        for library, owner in LIBRARIES.items():
            if name.startswith(library) and not f"{folder}/".startswith(f"{owner}/"):
                yield f"<{name}> belongs in {owner}"
        return
    if name != proper or not quoted:
        yield f'name room and file: #include "{proper}"'
    other = room_of(target)
    if other not in FLOORS:
        yield f"{target} is in no room"
    elif other != room and FLOORS[other] >= FLOORS[room]:
        yield f"{room} (floor {FLOORS[room]}) uses {other} (floor {FLOORS[other]})"
    for keeper in KEEPERS:
        if keeper.room == room and proper == keeper.header and not (
                keeper.folder and f"{folder}/".startswith(f"{keeper.folder}/")):
            who = f"only {keeper.folder} includes" if keeper.folder else "no file includes"
            yield f"in {room}, {who} {keeper.header}"


def find(root):
    """(path, line number, text) of each finding, in every file that is code by its name or by being
    included."""
    root = root.resolve()
    waiting = [p for top in ("src", "include") for p in sorted((root / top).rglob("*"))
               if p.suffix in CODE and p.is_file()]
    seen = set()
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        path = file.relative_to(root)
        if room_of(path) not in FLOORS:
            yield path, 1, "is in no room"
            continue
        for number, name, quoted in includes(file.read_text()):
            for text in check_include(root, path, name, quoted):
                yield path, number, text
            target = name and resolve(root, path, name, quoted)[0]
            if target and target.parts[0] in ("src", "include"):
                waiting.append(root / target)


def main():
    wrong = list(check_samples("floors", find))
    finish(wrong + sorted(f"{path}:{line}: {text}" for path, line, text in find(ROOT)))


if __name__ == "__main__":
    main()
