#!/usr/bin/env python3
"""The long form of the attacks, on demand: test/attack/run.py BUILD [SCALE] [NAME]...

Prints a line for each attack: memory, how another client was served meanwhile, and how soon the
platform was itself again. The short form runs with the other end-to-end tests.
"""

import sys
import tempfile

import attacks
from attacked_platform import World


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build = sys.argv[1]
    scale = int(sys.argv[2]) if len(sys.argv) > 2 else 4
    names = sys.argv[3:]
    failed = False
    for attack, descriptors in attacks.ALL:
        if names and attack.__name__ not in names:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            try:
                with World(build, descriptors, scratch) as world:
                    print(attack(world, scale).line(), flush=True)
            except Exception as error:
                failed = True
                print(f"{attack.__name__}: {type(error).__name__}: {str(error)[:300]}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
