"""A molecule-platform under load, for platform_load.py: its life, its workspaces, what it costs."""

import contextlib
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).parents[1] / "e2e")]
from support.platform import child_env  # noqa: E402

HERE = pathlib.Path(__file__).parent
TICK = os.sysconf("SC_CLK_TCK")
SLOW_MICROS = 5000


def sync_rate(folder, seconds=0.5):
    """fdatasync calls a second after a write of 4 KiB each: what the disk can do this minute."""
    block, count = os.urandom(4096), 0
    with tempfile.TemporaryFile(dir=folder) as file:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            os.pwrite(file.fileno(), block, (count % 256) * 4096)
            os.fdatasync(file.fileno())
            count += 1
    return count / seconds


def slow_disk(folder):
    """The library that makes each wait for the disk longer."""
    library = pathlib.Path(folder, "slow_sync.so")
    if not library.exists():
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library,
                        HERE / "load" / "slow_sync.c", "-ldl"], check=True)
    return library


class Server:
    """`load` is the program platform_load. Leaving the block ends the server."""

    def __init__(self, binary, load, folder, *, store=None, slow=None, limited=False):
        self._command = [str(binary), "--listen", "127.0.0.1:0", "--data", f"{folder}/data"]
        if store:
            self._command += ["--store", store]
        self._load, self.folder = str(load), pathlib.Path(folder)
        env = {} if limited else {"RATE_LIMIT": "0"}
        if slow:
            env |= {"LD_PRELOAD": str(slow), "SLOW_SYNC_MICROS": str(SLOW_MICROS)}
        self.folder.mkdir(parents=True, exist_ok=True)
        self._env = child_env(self.folder, env)
        self.agents = self.folder / "agents"

    def __enter__(self):
        self._log = open(self.folder / "log", "a")
        self.process = subprocess.Popen(self._command, env=self._env, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self._log, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            raise SystemExit(f"the server did not start: {(self.folder / 'log').read_text()}")
        self.port = int(line.rpartition(":")[2])
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.process.stdout.close()
        self._log.close()

    def load(self, command, *args, **popen):
        full = [self._load, command, "--port", str(self.port), "--agents", str(self.agents)]
        return subprocess.Popen(full + [str(arg) for arg in args], stdout=subprocess.PIPE,
                                text=True, **popen)

    def run(self, command, *args):
        child = self.load(command, *args)
        out, _ = child.communicate()
        if child.returncode:
            raise SystemExit(f"platform_load {command} failed")
        return out

    def create(self, count):
        self.run("create", "--count", count, "--token-file", self.folder / "data" / "admin_token")

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def resident_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024


def ordered_id(number, micros):
    """A UUID that sorts by time, as the platform makes them."""
    digits = f"{micros // 1000:012x}7{number >> 62 & 0xfff:03x}{1 << 63 | number & (1 << 62) - 1:016x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def fill_sqlite(folder, per_agent):
    """Adds messages to the store of a server that does not run, as /a2a stores them."""
    agents = [line.split()[0] for line in (folder / "agents").read_text().splitlines()]
    start = int((time.time() - 3600) * 1e6)
    said = "The review of the parser is done: two findings, with a test for each. " * 3

    def rows():
        number = 0
        for turn in range(per_agent):
            for at, agent in enumerate(agents):
                number += 1
                sender, name = agents[at - 1], f"fill-{start}-{number}"
                body = ('{"jsonrpc":"2.0","id":"%d","method":"message/send","params":{"message":'
                        '{"role":"user","messageId":"%s","parts":[{"kind":"text","text":"%s"}]}}}'
                        % (number, name, said))
                summary = f"message/send → agent {at} (queued for poll)"
                yield (ordered_id(number, start + number), agent, "a2a_receive", sender, agent,
                       "message/send", summary, body, name, start + number,
                       200 + len(summary.encode()) + len(body))

    with contextlib.closing(sqlite3.connect(folder / "data" / "platform.db")) as store:
        store.execute("PRAGMA synchronous=OFF")
        store.execute("PRAGMA cache_size=-400000")
        with store:
            store.executemany(
                "INSERT INTO activity (id, workspace_id, activity_type, source_id, target_id, method,"
                " summary, request_body, message_id, created_at, bytes)"
                " VALUES (?,?,?,?,?,?,?,?,?,?,?)", rows())
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")


FILL_POSTGRES = """
INSERT INTO activity (id, workspace_id, activity_type, source_id, target_id, method, summary,
                      request_body, message_id, created_at, bytes)
SELECT substr(stamp, 1, 8) || '-' || substr(stamp, 9) || '-7000-8000-' || lpad(to_hex(number), 12, '0'),
       id, 'a2a_receive', sender, id, 'message/send', summary, body, 'fill-' || number,
       {start} + number, 200 + octet_length(summary) + octet_length(body)
FROM (SELECT *, lpad(to_hex(({start} + number) / 1000), 12, '0') AS stamp,
             'message/send → agent ' || at || ' (queued for poll)' AS summary,
             '{{"jsonrpc":"2.0","id":"' || number || '","method":"message/send","params":{{"message":'
             || '{{"role":"user","messageId":"fill-' || number || '","parts":[{{"kind":"text","text":"'
             || repeat('The review of the parser is done: two findings, with a test for each. ', 3)
             || '"}}]}}}}}}' AS body
      FROM (SELECT row_number() OVER (ORDER BY turn, at) + {stored} AS number, w.*
            FROM generate_series(1, {turns}) AS turn
            CROSS JOIN (SELECT id, row_number() OVER (ORDER BY id) AS at,
                               coalesce(lag(id) OVER (ORDER BY id), max(id) OVER ()) AS sender
                        FROM workspaces) w) numbered) made
"""


def fill_postgres(url, per_agent):
    """The same in a database."""
    def ask(sql):
        return subprocess.run(["psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-c", sql, url],
                              check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    stored = int(ask("SELECT count(*) FROM activity"))
    ask(FILL_POSTGRES.format(start=int((time.time() - 3600) * 1e6), stored=stored, turns=per_agent))
    ask("VACUUM ANALYZE")


@contextlib.contextmanager
def scratch(parent):
    """A folder for one run."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="platform-load-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
