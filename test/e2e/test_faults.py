"""Nothing is lost or duplicated under faults (molecule-mcp.md 5): a short run of test/faults."""

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "faults"))

from proxy import FAULTS  # noqa: E402
from rounds import CALLS, Deaths, spoil_each_call  # noqa: E402
from world import World  # noqa: E402

PAIRS = [(call, fault) for call in CALLS for fault in FAULTS]


@pytest.mark.parametrize("part", range(4))
def test_a_failed_call_loses_and_duplicates_nothing(build, tmp_path, part):
    with World(build, tmp_path, part) as world:
        world.start_session()
        met = spoil_each_call(world, PAIRS[part::4])
        assert met >= len(PAIRS[part::4]) // 3
        while world.sessions:
            world.end(world.sessions[0])
        world.check_tasks()


@pytest.mark.parametrize("seed", range(4))
def test_crashes_under_load_lose_and_duplicate_nothing(build, tmp_path, seed):
    with World(build, tmp_path, seed) as world:
        deaths = Deaths(world, random.Random(seed).random())
        for _ in range(8):
            deaths.round()
            world.settle()
        while world.sessions:
            world.end(world.sessions[0])
        world.check_tasks()
