#!/usr/bin/env python3
"""Draws the rooms of src/ on their floors: docs/floors.svg.

    scripts/docs/floors.py            writes the picture
    scripts/docs/floors.py --check    exits 1 if the picture is out of date

Rooms, their folders and the arrows come from the tree; floors and purposes are stated here. An
arrow means that files of a room include headers of the other. An arrow that others already imply is
left out.
"""

import argparse
import pathlib
import re
import sys
from html import escape

ROOT = pathlib.Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs" / "floors.svg"

# room: floor, column (None: full width), purpose. Columns keep arrows out of boxes.
ROOMS = {
    "app": (6, None, "main of both programs, and the wiring"),
    "cli": (5, 0, "commands for people"),
    "daemon": (5, 1, "messages to handlers and back"),
    "tools": (4, 1, "what an agent can call"),
    "workspace": (3, 0, "one workspace's life"),
    "server": (3, 2, "the platform"),
    "platform": (2, 0, "client of the platform's API"),
    "mcp": (2, 1, "the protocol, for any server"),
    "net": (1, 0, "HTTP client on libcurl"),
    "base": (0, None, "JSON, files, clocks, text, log, processes, SQLite"),
}

INCLUDE = re.compile(r'^\s*#\s*include\s*"(?:molecule/)?(\w+)/', re.MULTILINE)

COLUMNS, BOX_WIDTH, BOX_HEIGHT, GAP = 3, 280, 66, 34
FLOOR_HEIGHT, LEFT, TOP = BOX_HEIGHT + GAP, 70, 16
INNER_WIDTH = COLUMNS * BOX_WIDTH + (COLUMNS - 1) * GAP
TOP_FLOOR = max(entry[0] for entry in ROOMS.values())
WIDTH, HEIGHT = LEFT + INNER_WIDTH + 16, TOP + (TOP_FLOOR + 1) * FLOOR_HEIGHT


def files_of(room):
    for folder in (ROOT / "src" / room, ROOT / "include" / "molecule" / room):
        yield from sorted(path for path in folder.rglob("*.[ch]pp"))


def read_uses(rooms):
    """Which rooms each room includes directly."""
    uses = {room: set() for room in rooms}
    for room in rooms:
        for path in files_of(room):
            uses[room].update(INCLUDE.findall(path.read_text(encoding="utf-8")))
        uses[room] = (uses[room] & set(rooms)) - {room}
    return uses


def reachable(uses, room):
    found, todo = set(), [room]
    while todo:
        for below in uses[todo.pop()] - found:
            found.add(below)
            todo.append(below)
    return found


def needed_arrows(uses):
    """The uses that no path over other rooms implies."""
    for room in uses:
        for below in sorted(uses[room]):
            if not any(below in reachable(uses, other) for other in uses[room] - {below}):
                yield room, below


def box_of(room):
    """x, y and width."""
    floor, column, _ = ROOMS[room]
    y = TOP + (TOP_FLOOR - floor) * FLOOR_HEIGHT
    if column is None:
        return LEFT, y, INNER_WIDTH
    return LEFT + column * (BOX_WIDTH + GAP), y, BOX_WIDTH


def draw_text(x, y, words, style):
    return f'<text x="{x}" y="{y}" class="{style}">{escape(words)}</text>'


def draw_box(room):
    x, y, width = box_of(room)
    folders = sorted(path.name for path in (ROOT / "src" / room).iterdir() if path.is_dir())
    lines = [f'<rect x="{x}" y="{y}" width="{width}" height="{BOX_HEIGHT}" rx="6"/>',
             draw_text(x + 12, y + 22, room, "room"),
             draw_text(x + 12, y + 40, ROOMS[room][2], "purpose")]
    if folders:
        lines.append(draw_text(x + 12, y + 57, ", ".join(folders), "folders"))
    return lines


def draw_arrow(room, below):
    """From the lower edge of one box to the upper edge of the other; straight down if it can be."""
    x1, y1, width1 = box_of(room)
    x2, y2, width2 = box_of(below)
    left, right = max(x1, x2), min(x1 + width1, x2 + width2)
    middle = (left + right) // 2
    start, end = (middle, middle) if left < right else (x1 + width1 // 4, x2 + 3 * width2 // 4)
    return f'<path d="M{start} {y1 + BOX_HEIGHT} L{end} {y2 - 2}"/>'


def draw():
    rooms = [room for room in ROOMS if (ROOT / "src" / room).is_dir()]
    unknown = {path.name for path in (ROOT / "src").iterdir() if path.is_dir()} - set(ROOMS)
    if unknown:
        raise SystemExit(f"{__file__}: no floor is stated for {', '.join(sorted(unknown))}")
    uses = read_uses(rooms)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
             f'font-family="sans-serif">',
             "<title>The rooms of src/ and what they use</title>",
             "<style>",
             "rect { fill: #f3f6fa; stroke: #4a6785; }",
             ".room { font-size: 16px; font-weight: bold; }",
             ".purpose { font-size: 13px; } .folders { font-size: 11.5px; fill: #4a6785; }",
             ".floor { font-size: 13px; fill: #4a6785; }",
             "path { fill: none; stroke: #4a6785; stroke-width: 1.4; marker-end: url(#head); }",
             "</style>",
             '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
             'markerHeight="7" orient="auto"><polygon points="0,0 8,4 0,8" fill="#4a6785"/>'
             "</marker></defs>",
             f'<rect width="{WIDTH}" height="{HEIGHT}" style="fill: white; stroke: none"/>']
    for floor, y in sorted({(ROOMS[room][0], box_of(room)[1]) for room in rooms}):
        lines.append(draw_text(12, y + 38, f"floor {floor}", "floor"))
    for room in rooms:
        lines += draw_box(room)
    lines += [draw_arrow(*arrow) for arrow in needed_arrows(uses)]
    return "\n".join(lines) + "\n</svg>\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="only compare")
    options = parser.parse_args()
    picture = draw()
    if not options.check:
        PICTURE.write_text(picture, encoding="utf-8")
    elif not PICTURE.is_file() or PICTURE.read_text(encoding="utf-8") != picture:
        print("docs/floors.svg is out of date: run scripts/docs/floors.py")
        sys.exit(1)


if __name__ == "__main__":
    main()
