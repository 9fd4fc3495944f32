"""molecule-platform in hostile surroundings: devices, file systems, signals, a data folder that is
removed or replaced."""

import errno
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

from support.platform import Platform, child_env, database_of, until
from e2e.molecule_platform.test_cli import run


@pytest.mark.parametrize("arguments", [["--version"], ["--help"],
                                       ["--listen", "127.0.0.1:0", "--data", "DATA"]], ids=" ".join)
def test_fault_A17_output_that_cannot_be_written_is_a_failure(build, tmp_path, arguments):
    arguments = [str(tmp_path / "data") if a == "DATA" else a for a in arguments]
    with open("/dev/full", "wb") as full:
        ended = subprocess.run([build / "molecule-platform", *arguments], stdin=subprocess.DEVNULL,
                               env=child_env(tmp_path), stdout=full, stderr=subprocess.PIPE,
                               text=True, timeout=20)
    assert ended.returncode == 1
    assert "No space left on device" in ended.stderr


def gone(platform):
    """No request gets 200 any more: it is 503, or the process has ended."""
    if platform.process.poll() is not None:
        return True
    try:
        return platform.request("GET", "/health").status == 503
    except OSError:
        return True


@pytest.mark.sqlite
@pytest.mark.parametrize("how", ["removed", "moved", "replaced", "database", "log"])
def test_fault_B1_without_its_data_folder_it_answers_503_and_ends(build, tmp_path, how):
    data = tmp_path / "data"
    with Platform(build, data_dir=data) as platform:
        agent = platform.create_workspace("agent")
        assert platform.send(agent, "kept").status == 200
        if how == "removed":
            shutil.rmtree(data)
        elif how == "moved":
            data.rename(tmp_path / "elsewhere")
        elif how == "replaced":
            data.rename(tmp_path / "elsewhere")
            data.mkdir()
        else:
            file = database_of(data)
            file = file if how == "database" else file.with_name(file.name + "-wal")
            file.rename(tmp_path / "elsewhere")
        assert gone(platform)
        process, platform.process = platform.process, None
        assert process.wait(5) == 1
        assert "removed or replaced" in platform.stderr()


def test_fault_B1_a_second_one_is_refused_also_where_the_lock_file_was_removed(build, tmp_path):
    data = tmp_path / "data"
    with Platform(build, data_dir=data) as platform:
        for _ in range(2):
            ended = run(build, "--listen", "127.0.0.1:0", "--data", str(data), home=tmp_path)
            assert ended.returncode == 1 and "another molecule-platform uses" in ended.stderr
            (data / "lock").unlink(missing_ok=True)
        assert platform.request("GET", "/health").status == 200


def test_fault_B2_without_locks_it_says_so(build, tmp_path, refusing):
    env = refusing(locks=errno.ENOLCK)
    ended = run(build, "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"), home=tmp_path,
                env=env)
    assert ended.returncode == 1
    assert os.strerror(errno.ENOLCK) in ended.stderr and "another" not in ended.stderr


def test_fault_B3_it_works_without_shared_memory(build, tmp_path, refusing):
    data = tmp_path / "data"
    with Platform(build, data_dir=data) as platform:
        agent = platform.create_workspace("agent")
        assert platform.send(agent, "one").status == 200
        platform.kill9()  # its log stays
        with Platform(build, data_dir=data, env=refusing(shared_memory=errno.ENODEV)) as other:
            assert other.send(agent, "two").status == 200
            assert len(other.activity(agent).body) == 2
            assert not list(data.glob("*-shm")) or not list(data.glob("*-wal"))
        platform.start()
        assert len(platform.activity(agent).body) == 2


@pytest.mark.sqlite
def test_fault_B8_the_log_stays_small_and_a_shell_does_not_freeze_it(platform):
    agent = platform.create_workspace("agent")
    shell = sqlite3.connect(database_of(platform.data_dir), isolation_level=None)
    shell.execute("BEGIN IMMEDIATE")
    statuses = []
    writers = [threading.Thread(target=lambda: statuses.append(platform.send(agent, "x").status))
               for _ in range(3)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):  # a write waits for 5 s, nothing else does
        started = time.monotonic()
        assert platform.request("GET", "/health").status == 200
        assert platform.activity(agent, platform.admin_token).status == 200
        assert time.monotonic() - started < 2
    assert statuses == [503, 503, 503]
    writer = threading.Thread(target=lambda: statuses.append(platform.send(agent, "x").status))
    writer.start()
    shell.execute("ROLLBACK")
    writer.join()
    assert statuses[-1] == 200
    shell.close()
    assert platform.send(agent, "x").status == 200


@pytest.mark.sqlite
def test_fault_B9_a_file_size_limit_is_a_full_disk(build, tmp_path):
    with Platform(build, data_dir=tmp_path / "data") as platform:
        agent = platform.create_workspace("agent")
        resource.prlimit(platform.process.pid, resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        statuses = {platform.send(agent, "x" * 20000).status for _ in range(80)}
        assert statuses == {200, 503}
        assert platform.request("GET", "/health").status == 200


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_fault_B9_signals_ignored_at_the_start_stay_ignored(build, tmp_path, number):
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with Platform(build, data_dir=tmp_path / "data") as platform:
            platform.process.send_signal(number)
            time.sleep(0.3)
            assert platform.request("GET", "/health").status == 200
    finally:
        signal.signal(number, before)


def test_fault_B10_a_tilde_is_the_home_folder(build, tmp_path):
    (tmp_path / "work").mkdir()
    process = subprocess.Popen(
        [build / "molecule-platform", "--listen", "127.0.0.1:0", "--data=~/kept"],
        stdout=subprocess.PIPE, env=child_env(tmp_path), cwd=tmp_path / "work")
    assert process.stdout.readline().startswith(b"listening")
    process.terminate()
    process.communicate(timeout=5)
    assert (tmp_path / "kept" / "admin_token").exists() and not list((tmp_path / "work").iterdir())


@pytest.mark.parametrize("kind", ["fifo", "link"])
@pytest.mark.parametrize("name", ["lock", "admin_token", "platform.db", "platform.db-wal"])
def test_fault_D2_no_file_of_the_data_folder_is_waited_for_or_followed(build, tmp_path, name, kind):
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    if kind == "fifo":
        os.mkfifo(data / name)
    else:
        (data / name).symlink_to(tmp_path / "target")
    ended = run(build, "--listen", "127.0.0.1:0", "--data", str(data), home=tmp_path)
    assert ended.returncode == 1 and str(data / name) in ended.stderr
    assert not (tmp_path / "target").exists()


def test_fault_D6_memory_is_not_dumped(build):
    with Platform(build, env={"MOLECULE_ALLOW_CORE_DUMPS": ""}) as platform:
        assert resource.prlimit(platform.process.pid, resource.RLIMIT_CORE)[0] == 0
