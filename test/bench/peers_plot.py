"""Draws a comparison as an SVG bar chart: one panel per figure, on a logarithmic scale."""

import math
from xml.sax.saxutils import escape

WIDTH, LABELS, BAR, GAP, HEAD, COLUMNS = 900, 10, 15, 5, 24, 2
OURS, OTHER, INK, PAPER = "#0b7285", "#b9c2c9", "#1c2226", "#ffffff"


def plot(found, figures, ours):
    """`found[server][key]`; `figures` are tuples (key, heading, formatter, less is better)."""
    panel_width = WIDTH / COLUMNS
    panel_height = HEAD + len(found) * (BAR + GAP) + 14
    rows = math.ceil(len(figures) / COLUMNS)
    height = rows * panel_height + 10
    out = ['<svg xmlns="http://www.w3.org/2000/svg" '
           f'viewBox="0 0 {WIDTH} {height}" '
           f'font-family="sans-serif" font-size="11" fill="{INK}">',
           f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>']
    for at, (key, heading, show, less_is_better) in enumerate(figures):
        left = (at % COLUMNS) * panel_width + LABELS
        top = (at // COLUMNS) * panel_height + 10
        better = f"({'less' if less_is_better else 'more'} is better, logarithmic)"
        out.append(f'<text x="{left}" y="{top + 12}" font-weight="bold">'
                   f'{escape(heading.replace("`", ""))} '
                   f'<tspan font-weight="normal" opacity="0.6">{better}</tspan></text>')
        out += bars({name: values[key] for name, values in found.items()}, show, ours,
                    left, top + HEAD, panel_width - 2 * LABELS)
    out.append("</svg>")
    return "\n".join(out) + "\n"


def bars(values, show, ours, left, top, width):
    least, most = min(values.values()), max(values.values())
    # Name and value stand to the right of each bar; leave room for them next to the longest one.
    room, least_bar = width * 0.4, width * 0.04
    span = math.log(most / least) or 1
    for row, (name, value) in enumerate(values.items()):
        y = top + row * (BAR + GAP)
        length = least_bar + (room - least_bar) * math.log(value / least) / span
        mine = name == ours
        weight = ' font-weight="bold"' if mine else ""
        yield (f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2" '
               f'fill="{OURS if mine else OTHER}"/>')
        yield (f'<text x="{left + length + 6:.1f}" y="{y + BAR - 4}"'
               f'{weight}>{escape(show(value))} '
               f'<tspan opacity="0.7">{escape(name)}</tspan></text>')
