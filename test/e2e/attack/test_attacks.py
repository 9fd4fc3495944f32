"""The platform under attack, in short (section C of the fault report); the long form is
test/attack/run.py. The attackers have a token each, as any agent does, unless they need none."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "attack"))

import attacks  # noqa: E402
from support.mcp import is_sanitized  # noqa: E402
from attacked_platform import MIB, World  # noqa: E402

DESCRIPTORS = dict((attack, limit) for attack, limit in attacks.ALL)


@pytest.fixture
def run(build, tmp_path):
    """Runs an attack; then the platform must serve, and end as it should. A sanitizer keeps what is
    freed for a while: memory means little there."""
    def start(attack):
        with World(build, DESCRIPTORS[attack], tmp_path) as world:
            result = attack(world)
        if is_sanitized(build / "molecule-platform"):
            result.grown = 0
        assert result.failures == [], result.line()
        return result
    return start


# Bounds that hold on a slow, loaded machine too; run.py prints the figures themselves.
PATIENCE = 8


def test_fault_C2_unread_downloads_never_stop_accepting(run):
    result = run(attacks.c2_unread_downloads)
    assert result.slowest < PATIENCE and result.recovery < PATIENCE
    assert result.grown < 60 * MIB


def test_fault_C3_pings_of_a_client_that_reads_nothing_cost_nothing(run):
    result = run(attacks.c3_pings)
    assert result.notes["pings"] > 20_000
    assert result.grown < 20 * MIB, result.line()


def test_fault_C3_events_that_nobody_reads_are_bounded(run):
    result = run(attacks.c3_unread_events)
    assert result.grown < 150 * MIB, result.line()
    assert result.slowest < PATIENCE


def test_fault_C3_one_token_cannot_hoard_the_web_sockets(run):
    notes = run(attacks.c3_hoarded_sockets).notes
    assert notes == {"opened": 16, "person": 101, "another": 101}


def test_fault_C3_unread_answers_are_bounded_and_hold_up_nobody(run):
    result = run(attacks.c3_unread_answers)
    assert result.grown < 200 * MIB, result.line()
    assert result.slowest < PATIENCE


def test_fault_C4_strangers_that_send_a_byte_keep_nobody_out(run):
    result = run(attacks.c4_silent_strangers)
    assert result.slowest < PATIENCE


def test_fault_C4_a_head_has_ten_seconds(run):
    result = run(attacks.c4_slow_heads)
    assert result.notes["still_open"] == 0
    assert 9 <= result.notes["dropped_after"] <= 15


def test_fault_C4_declared_bodies_take_nobodys_room(run):
    assert run(attacks.c4_declared_bodies).notes["others_refused"] == 0


def test_fault_C5_no_request_is_swallowed_after_a_framing_error(run):
    assert run(attacks.c5_swallowed_requests).kept == []


def test_fault_C7_strangers_are_limited_and_hold_up_nobody(run):
    result = run(attacks.c7_strangers)
    # A window may have begun anew meanwhile.
    assert result.notes["served"] <= 2 * 600
    assert result.slowest < PATIENCE


def test_fault_C13_guessing_is_slow_and_locks_nobody_out(run):
    notes = run(attacks.c13_guesses).notes
    assert notes["guesses_a_second"] < 200 and notes["right_token"] == 200
