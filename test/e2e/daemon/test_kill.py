"""kill -9 of the daemon and of its handler in turn: every message is answered exactly once, and no
process stays. A short form of `kill_run.py`, which prints the counts."""

from daemon.kill_run import kill_run


def test_kills_lose_and_repeat_no_answer(mcp_binary, platform, tmp_path):
    counts = kill_run(mcp_binary, platform, tmp_path, kills=12)
    assert counts["unanswered"] == counts["answered twice"] == counts["orphans"] == 0, counts
