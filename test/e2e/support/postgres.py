"""Debian's PostgreSQL for tests: a server of their own in a temporary folder.

    with Server() as server:
        url = server.new_database()
        server.sql(url, "SELECT 1")

It listens on a Unix socket, so no port is shared with anybody, and on 127.0.0.1 if `password` is
given, which users of that address then need. Leaving the block ends it.
"""

import atexit
import ctypes
import os
import pathlib
import pwd
import queue
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid

from support.deadline import DEADLINE

CHOSEN = os.environ.get("MOLECULE_TEST_STORE") == "postgres"
PORT = 5432


def programs():
    """The folder of the server's programs, or None where they are not installed."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"),
                   key=lambda path: int(path.parts[4]))
    return found[-1].parent if found else None


def unprivileged():
    """The server does not run as root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def end_with_parent():
    """Called in the child: a test process that is killed leaves no server behind."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGQUIT)


class Starter(threading.Thread):
    """Starts servers. For Linux the parent is the thread that starts a process, so this one lasts as long
    as the test process does, whichever thread wants a server."""

    def __init__(self):
        super().__init__(daemon=True)
        self._orders = queue.SimpleQueue()
        self.start()

    def run(self):
        while True:
            command, options, answer = self._orders.get()
            try:
                answer.put(subprocess.Popen(command, preexec_fn=end_with_parent, **options))
            except Exception as error:  # for the thread that waits
                answer.put(error)

    def popen(self, command, **options):
        answer = queue.SimpleQueue()
        self._orders.put((command, options, answer))
        started = answer.get()
        if isinstance(started, Exception):
            raise started
        return started


STARTER = Starter()


def fast_folder():
    """Memory, where there is enough: a new server writes 50 MB, and slow disks take half a minute."""
    try:
        room = shutil.disk_usage("/dev/shm").free
    except OSError:
        return None
    return "/dev/shm" if room > 4 << 30 else None


def remove_left_folders():
    """Of test processes that were killed: their names hold who made them."""
    for folder in (fast_folder() or tempfile.gettempdir(), tempfile.gettempdir()):
        for left in pathlib.Path(folder).glob("pg-*-*"):
            maker = left.name.split("-")[1]
            if maker.isdecimal() and not pathlib.Path("/proc", maker).exists():
                shutil.rmtree(left, ignore_errors=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, password=None, settings=(), locale="C.UTF-8"):
        remove_left_folders()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"pg-{os.getpid()}-", dir=fast_folder()))
        self.password, self.port = password, PORT
        self._bin, self._as = programs(), unprivileged()
        if self._as:
            os.chown(self.folder, self._as["user"], self._as["group"])
        self.folder.chmod(0o755)
        self._settings, self._log, self.process = list(settings), None, None
        options = ["--username=molecule", "--encoding=UTF8", f"--locale={locale}", "--auth=trust",
                   "--no-sync", "--no-instructions"]
        self._run("initdb", "-D", self.folder / "data", *options)
        if password:
            # Whoever comes from the network needs the password; who comes by the socket does not.
            self.port = free_port()
            (self.folder / "data" / "pg_hba.conf").write_text(
                "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
            self._settings += ["listen_addresses=127.0.0.1"]
        else:
            self._settings += ["listen_addresses="]

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.remove()

    def _run(self, program, *arguments):
        done = subprocess.run([self._bin / program, *map(str, arguments)], cwd="/",
                              capture_output=True, text=True, env=clean_env(), **self._as)
        assert done.returncode == 0, done.stderr

    def start(self):
        settings = [f"port={self.port}", f"unix_socket_directories={self.folder}",
                    "max_connections=200", "shared_buffers=32MB", "max_wal_size=64MB",
                    "min_wal_size=32MB", *self._settings]
        arguments = [part for each in settings for part in ("-c", each)]
        self._log = open(self.folder / "log", "ab")
        self.process = STARTER.popen(
            [self._bin / "postgres", "-D", self.folder / "data", *arguments], cwd="/",
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, env=clean_env(),
            start_new_session=True, **self._as)
        deadline = time.monotonic() + DEADLINE
        while subprocess.run([self._bin / "pg_isready", "-q", "-h", self.folder, "-p",
                              str(self.port)]).returncode != 0:
            assert self.process.poll() is None and time.monotonic() < deadline, self.log()
            time.sleep(0.02)
        if self.password:
            self.sql(self.url("postgres"), f"ALTER ROLE molecule PASSWORD '{self.password}'")
        return self

    def stop(self, how=signal.SIGINT):
        """SIGINT ends sessions, SIGQUIT is a crash."""
        process, self.process = self.process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._log.close()

    def remove(self):
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def url(self, database):
        return f"postgres://molecule@/{database}?host={self.folder}&port={self.port}"

    def tcp_url(self, database):
        return f"postgres://molecule@127.0.0.1:{self.port}/{database}"

    def new_database(self):
        """A new database's URL by the Unix socket."""
        name = f"test_{uuid.uuid4().hex}"
        self.sql(self.url("postgres"), f"CREATE DATABASE {name}")
        return self.url(name)

    def drop_database(self, url):
        """A database takes 8 MB, and a run of all tests makes hundreds."""
        name = url.split("?")[0].rsplit("/", 1)[1]
        self.sql(self.url("postgres"), f"DROP DATABASE {name} WITH (FORCE)")

    def sql(self, url, *statements):
        """Runs the statements; returns the rows of the last one, as lists of texts."""
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1",
                               url, *(part for each in statements for part in ("-c", each))],
                              capture_output=True, text=True, env=clean_env())
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]


def clean_env():
    """Nothing of the caller's own PostgreSQL."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {
        "LC_ALL": "C.UTF-8"}


def random_password():
    return secrets.token_urlsafe(24)


_shared = []


def shared_server():
    """One server for all tests of this process, which ends with it."""
    if not _shared:
        server = Server().start()
        atexit.register(server.remove)
        _shared.append(server)
    return _shared[0]
