"""Runs the official TypeScript SDK clients against the product: list, call, cancel, progress."""

import json
import os
import subprocess
import time

import pytest
from conftest import HERE, run_node

SPEED = 20  # time acceleration for the product, so that a progress interval passes soon


@pytest.fixture(scope="module")
def speedup(tmp_path_factory):
    library = tmp_path_factory.mktemp("speedup") / "speedup.so"
    compiler = os.environ.get("CC", "cc").split()
    subprocess.run([*compiler, "-shared", "-fPIC", "-O1", "-o", library,
                    HERE.parent / "e2e/support/speedup.c"], check=True)
    return library


@pytest.mark.parametrize("kind", ["old", "legacy", "auto", "modern"])
def test_client(product, speedup, tmp_path, kind):
    environment = product.environment()
    faster = {"LD_PRELOAD": str(speedup), "SPEEDUP": str(SPEED), "SPEEDUP_EPOCH": str(int(time.time()))}
    # Only the product's time is accelerated, not the client's.
    program = tmp_path / "molecule-mcp"
    assignments = " ".join(f"{name}={value}" for name, value in faster.items())
    program.write_text(f"#!/bin/sh\nexec env {assignments} '{product.binary}'\n")
    program.chmod(0o700)
    ended = run_node(HERE / "sdk_client.mjs", kind, program, env=environment)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    seen = json.loads(ended.stdout)
    assert "wait_for_message" in seen["tools"]
    assert not seen["called"]["error"]
    assert json.loads(seen["called"]["text"])["id"] == environment["WORKSPACE_ID"]
    assert seen["cancelled"]["given_up"] and seen["cancelled"]["milliseconds"] < 1000
    assert len(seen["progress"]["seen"]) >= 1 and seen["progress"]["timed_out"]
    assert seen["progress"]["seen"] == sorted(set(seen["progress"]["seen"]))
    assert seen["after"] is False
