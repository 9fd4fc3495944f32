"""The store of another version."""

import contextlib
import pathlib
import shutil
import sqlite3
import subprocess

import pytest

from support.platform import Platform, child_env

OLD_STORE = pathlib.Path(__file__).parents[3] / "server" / "store" / "platform-0.1.0.db"


@pytest.mark.sqlite
def test_a_store_of_0_1_0_is_upgraded(build, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    shutil.copy(OLD_STORE, folder / "platform.db")
    for _ in range(2):
        with Platform(build, data_dir=folder) as platform:
            listed = platform.request("GET", "/workspaces", platform.admin_token).body
            assert [workspace["name"] for workspace in listed] == ["lead", "worker"]
    with contextlib.closing(sqlite3.connect(folder / "platform.db")) as database:
        versions = database.execute("SELECT version, name FROM schema_migrations").fetchall()
    assert versions[0] == (1, "initial")
    assert [version for version, _ in versions] == list(range(1, len(versions) + 1))


@pytest.mark.sqlite
def test_a_newer_store_is_refused_and_not_touched(build, tmp_path):
    folder = tmp_path / "data"
    with Platform(build, data_dir=folder):
        pass
    with contextlib.closing(sqlite3.connect(folder / "platform.db")) as database, database:
        database.execute("INSERT INTO schema_migrations VALUES (99, 'later', 'x', 0)")
    before = (folder / "platform.db").read_bytes()
    ended = subprocess.run(
        [str(build / "molecule-platform"), "--listen", "127.0.0.1:0", "--data", str(folder)],
        capture_output=True, text=True, timeout=20, env=child_env(tmp_path, None))
    assert ended.returncode == 1, ended
    assert str(folder / "platform.db") in ended.stderr
    assert "newer molecule-platform" in ended.stderr
    assert (folder / "platform.db").read_bytes() == before
