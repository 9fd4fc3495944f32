"""The short form of test/cluster/chaos.py: nothing is lost and nothing comes twice while instances are
killed and PostgreSQL is restarted (platform-operation.md 3)."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from cluster import chaos  # noqa: E402


def test_nothing_is_lost_while_instances_are_killed(build, sanitized):
    if why := chaos.missing():
        pytest.skip(why)
    if sanitized:
        pytest.skip("sanitizers are too slow for that many agents")
    counts = chaos.run(build, seconds=20, count=60, listeners=3)
    assert counts["right"], counts
    assert counts["messages acknowledged"] > 50 and counts["kills of instances"] > 0, counts
