"""How long a test waits for what must come. It says nothing about speed: it is what a machine that
does much else at the same time, with sanitizers, stays below. Every wait ends by its condition; a
test of speed measures."""

DEADLINE = 240.0
