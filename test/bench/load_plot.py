"""Draws lines over a logarithmic axis as an SVG picture."""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 320, 60, 150, 40, 46
COLOURS = ("#0b7285", "#c2410c", "#5b21b6", "#4d7c0f")
INK, GRID, PAPER = "#1c2226", "#dde3e7", "#ffffff"


def ticks(most):
    """About five round values from 0 to `most` or a little above."""
    step = 10 ** math.floor(math.log10(most / 4 or 1))
    step = next(step * factor for factor in (1, 2, 5, 10) if most / (step * factor) <= 5)
    return [step * i for i in range(math.ceil(most / step) + 1)]


def number(value):
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:g}"


def plot_lines(heading, across, unit, lines):
    """`lines[name]` are points (x, y), x above 0."""
    every = [point for points in lines.values() for point in points]
    xs = sorted({x for x, _ in every})
    marks = ticks(max(y for _, y in every) or 1)
    span = math.log(xs[-1] / xs[0]) or 1

    def place(x, y):
        return (LEFT + (WIDTH - LEFT - RIGHT) * math.log(x / xs[0]) / span,
                HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * y / marks[-1])

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
           f'font-family="sans-serif" font-size="11" fill="{INK}">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>',
           f'<text x="{LEFT}" y="22" font-size="13" font-weight="bold">{escape(heading)}</text>']
    for mark in marks:
        _, y = place(xs[0], mark)
        out.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{GRID}"/>'
                   f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{number(mark)}</text>')
    for x in xs:
        left, _ = place(x, 0)
        out.append(f'<text x="{left:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">'
                   f'{number(x)}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">'
               f'{escape(across)}</text>')
    labels = []
    for (name, points), colour in zip(lines.items(), COLOURS):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
                for x, y in (place(*point) for point in points)]
        labels.append((place(*points[-1])[1], name, points[-1][1], colour))
    last = 0
    for y, name, value, colour in sorted(labels):  # names do not cover each other
        last = max(y, last + 14)
        out.append(f'<text x="{WIDTH - RIGHT + 8}" y="{last + 4:.1f}" fill="{colour}">'
                   f'{escape(name)} {number(round(value, 1))} {escape(unit)}</text>')
    out.append("</svg>")
    return "\n".join(out) + "\n"
