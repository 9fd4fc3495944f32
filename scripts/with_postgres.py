#!/usr/bin/env python3
"""Runs a command beside a PostgreSQL server of its own, which ends with it:

    scripts/with_postgres.py build/test/server/test_server -sfe='*test_migrations*,*test_group*'

The command finds the folder of the server's socket in MOLECULE_TEST_POSTGRES."""

import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "test" / "e2e"))

from support import postgres  # noqa: E402

with postgres.Server(settings=["fsync=off"]) as server:
    done = subprocess.run(sys.argv[1:], env=os.environ | {
        "MOLECULE_TEST_POSTGRES": str(server.folder)})
sys.exit(done.returncode)
