"""The store in PostgreSQL: what is particular to it. The other tests of the platform run on it with
MOLECULE_TEST_STORE=postgres."""

import concurrent.futures
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import pytest

from support import postgres
from support.deadline import DEADLINE
from support.platform import Platform, child_env, until

pytestmark = pytest.mark.skipif(postgres.programs() is None, reason="PostgreSQL is not installed")


@pytest.fixture(scope="module")
def server():
    with postgres.Server() as running:
        yield running


@pytest.fixture
def store(server):
    return server.new_database()


@contextlib.contextmanager
def platform_on(build, store, **options):
    with Platform(build, args=["--store", store], **options) as platform:
        yield platform


def refusal(build, tmp_path, *args, env=None, code=1):
    """What a platform says that does not start."""
    ended = subprocess.run([build / "molecule-platform", "--listen", "127.0.0.1:0", "--data",
                            str(tmp_path / "data"), *args], capture_output=True, text=True,
                           env=child_env(tmp_path, env), timeout=DEADLINE)
    assert ended.returncode == code and ended.stdout == "", ended
    return ended.stderr


# --- names and passwords ------------------------------------------------------------------------

def test_a_password_in_the_url_is_refused_and_not_repeated(build, tmp_path):
    said = refusal(build, tmp_path, "--store", "postgres://molecule:open-sesame@127.0.0.1/x")
    assert "PGPASSFILE" in said and "STORE_PASSWORD" in said and "open-sesame" not in said
    said = refusal(build, tmp_path, env={"MOLECULE_STORE": "postgres://u@h/x?password=open-sesame"})
    assert "PGPASSFILE" in said and "open-sesame" not in said


@pytest.mark.parametrize("url, code", [("mysql://x/y", 2), ("/some/file", 2),
                                       ("postgres://[/x", 1), ("postgres://h/x?nonsense=1", 1)])
def test_a_url_that_is_none_is_refused(build, tmp_path, url, code):
    assert "postgres://" in refusal(build, tmp_path, "--store", url, code=code)


def test_the_password_comes_from_a_file_or_a_credential(build, tmp_path):
    password = postgres.random_password()
    with postgres.Server(password=password) as server:
        name = server.new_database().partition("@/")[2].partition("?")[0]
        url = server.tcp_url(name)
        said = refusal(build, tmp_path, "--store", url)
        assert "password" in said
        passfile = tmp_path / "pgpass"
        passfile.write_text(f"127.0.0.1:{server.port}:*:molecule:{password}\n")
        passfile.chmod(0o600)
        with platform_on(build, url, env={"PGPASSFILE": str(passfile)}) as platform:
            platform.secrets.add(password)
            platform.create_workspace("by file")
        folder = tmp_path / "credentials"
        folder.mkdir()
        (folder / "STORE_PASSWORD").write_text(password + "\n")
        (folder / "ADMIN_TOKEN").write_text("an-admin-token-of-the-test\n")
        # A host by its name is resolved by the platform itself.
        with platform_on(build, url.replace("127.0.0.1", "localhost"), env={
                "CREDENTIALS_DIRECTORY": str(folder), "MOLECULE_LOG": "info"}) as platform:
            platform.secrets.add(password)
            listed = platform.admin("GET", "/workspaces").body
            assert [workspace["name"] for workspace in listed] == ["by file"]


def test_a_server_that_is_away_and_a_missing_database_are_named(build, tmp_path, server):
    said = refusal(build, tmp_path, "--store", f"postgres://x@/x?host={tmp_path}")
    assert str(tmp_path) in said
    assert "nowhere" in refusal(build, tmp_path, "--store", server.url("nowhere"))


# --- migrations ---------------------------------------------------------------------------------

def test_five_that_start_at_once_on_an_empty_database_all_serve(build, server, store):
    with contextlib.ExitStack() as stack, concurrent.futures.ThreadPoolExecutor(5) as starters:
        platforms = [Platform(build, args=["--store", store], env={"ADMIN_TOKEN": "x" * 40})
                     for _ in range(5)]
        list(starters.map(lambda platform: stack.enter_context(platform), platforms))
        made = platforms[0].create_workspace("seen by all")
        for platform in platforms:
            assert platform.admin("GET", f"/workspaces/{made.id}").body["name"] == "seen by all"
    steps = server.sql(store, "SELECT version, name FROM schema_migrations ORDER BY version")
    assert steps[0] == ["1", "initial"]
    assert [int(version) for version, _ in steps] == list(range(1, len(steps) + 1))


def test_a_newer_store_and_one_with_another_history_are_refused(build, tmp_path, server, store):
    with platform_on(build, store):
        pass
    server.sql(store, "INSERT INTO schema_migrations VALUES (99, 'later', 'x', 0)")
    assert "newer molecule-platform" in refusal(build, tmp_path, "--store", store)
    server.sql(store, "DELETE FROM schema_migrations WHERE version = 99",
               "UPDATE schema_migrations SET hash = 'x'")
    assert "another build" in refusal(build, tmp_path, "--store", store)


def test_a_database_in_another_encoding_is_refused(build, tmp_path, server):
    server.sql(server.url("postgres"),
               "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    assert "UTF8" in refusal(build, tmp_path, "--store", server.url("latin"))


# --- poolers -----------------------------------------------------------------------------------

@contextlib.contextmanager
def pooler(server, mode):
    """Debian's pgbouncer before the server. Yields the folder of its socket."""
    own = postgres.unprivileged()
    # Not below pytest's folders, which only their owner may enter.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pooler-"))
    if own:
        os.chown(folder, own["user"], own["group"])
    (folder / "users").write_text('"molecule" ""\n')
    (folder / "ini").write_text(
        f"[databases]\n* = host={server.folder} port={server.port}\n[pgbouncer]\n"
        f"unix_socket_dir = {folder}\nlisten_port = 6432\nauth_type = trust\n"
        f"auth_file = {folder}/users\npool_mode = {mode}\ndefault_pool_size = 20\n"
        "ignore_startup_parameters = extra_float_digits\n")
    process = subprocess.Popen(["/usr/sbin/pgbouncer", "-q", folder / "ini"], cwd="/",
                               stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **own)
    try:
        until(lambda: (folder / ".s.PGSQL.6432").exists())
        yield f"host={folder}&port=6432"
    finally:
        process.terminate()
        process.wait(DEADLINE)
        shutil.rmtree(folder)


bouncer = pytest.mark.skipif(not pathlib.Path("/usr/sbin/pgbouncer").exists(),
                             reason="pgbouncer is not installed")


def through(store, place):
    return f"{store.partition('?')[0]}?{place}"


@bouncer
def test_behind_a_pooler_in_session_mode_it_serves(build, server, store, tmp_path):
    with pooler(server, "session") as place:
        with platform_on(build, through(store, place)) as platform:
            agent = platform.create_workspace("agent")
            for number in range(20):
                assert platform.send(agent, str(number)).status == 200
            assert len(platform.activity(agent).body) == 20


@bouncer
@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_a_pooler_that_mixes_up_connections_is_refused(build, server, store, tmp_path, mode):
    with pooler(server, mode) as place:
        said = refusal(build, tmp_path, "--store", through(store, place))
        assert "pool_mode = session" in said


# --- the order of rows --------------------------------------------------------------------------

def follow(platform, agent, since, found):
    """Polls as a client does, and moves the cursor to the last row. Returns the cursor."""
    since = f"&since_id={since}" if since else ""
    reply = platform.request(
        "GET", f"/workspaces/{agent.id}/activity?type=a2a_receive&limit=100{since}", agent.token)
    assert reply.status == 200, reply
    rows = reply.body
    found += [row["id"] for row in (rows if since else rows[::-1])]
    return found[-1] if found else None


def test_a_cursor_never_passes_a_row_that_is_committed_later(build, server, store):
    """A transaction draws its number and is paused; a message that comes later must not overtake
    it."""
    with platform_on(build, store) as platform:
        agent = platform.create_workspace("agent")
        found = []
        assert platform.send(agent, "first").status == 200
        cursor = follow(platform, agent, None, found)
        slow = subprocess.Popen(["psql", "-X", "-q", store], stdin=subprocess.PIPE, text=True,
                                stdout=subprocess.PIPE, env=postgres.clean_env())
        slow.stdin.write(
            "BEGIN; INSERT INTO activity(id, workspace_id, activity_type, created_at) VALUES"
            f" ('paused', '{agent.id}', 'a2a_receive', 1); SELECT 'drawn';\n")
        slow.stdin.flush()
        while "drawn" not in slow.stdout.readline():
            pass
        status = []
        later = threading.Thread(target=lambda: status.append(platform.send(agent, "later").status))
        later.start()
        waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        until(lambda: server.sql(store, waits) or status)
        for _ in range(3):
            cursor = follow(platform, agent, cursor, found)
        assert len(found) == 1 and not status
        slow.stdin.write("COMMIT;\n")
        slow.stdin.close()
        slow.wait(DEADLINE)
        slow.stdout.close()
        later.join(DEADLINE)
        assert status == [200]
        for _ in range(3):
            cursor = follow(platform, agent, cursor, found)
        in_store = server.sql(store, "SELECT id FROM activity ORDER BY seq")
        assert [[each] for each in found] == in_store and len(found) == 3


def test_many_senders_through_two_instances_and_none_is_missed(build, server, store):
    """Inboxes that each other's transactions lock in any order, while a poller follows each."""
    with contextlib.ExitStack() as stack:
        both = [stack.enter_context(Platform(build, args=["--store", store],
                                             env={"ADMIN_TOKEN": "y" * 40, "RATE_LIMIT": "0"}))
                for _ in range(2)]
        agents = [both[0].create_workspace(f"agent {number}") for number in range(4)]
        done, lost = threading.Event(), []

        def write(number):
            platform = both[number % 2]
            for step in range(30):
                agent = agents[(number * 7 + step * 3) % 4]
                reply = platform.send(agent, f"{number} {step}", message_id=f"{number}-{step}")
                if reply.status != 200:
                    lost.append(reply)

        def read(agent):
            found, cursor = [], None
            while not done.is_set():
                cursor = follow(both[1], agent, cursor, found)
            while True:
                before = cursor
                cursor = follow(both[1], agent, cursor, found)
                if cursor == before:
                    return found

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            readers = [pool.submit(read, agent) for agent in agents]
            writers = [pool.submit(write, number) for number in range(12)]
            try:
                for writer in writers:
                    writer.result()
            finally:
                done.set()
            followed = [reader.result() for reader in readers]
        assert lost == []
        for agent, found in zip(agents, followed):
            kept = server.sql(store, f"SELECT id FROM activity WHERE workspace_id = '{agent.id}'"
                                     " AND activity_type = 'a2a_receive' ORDER BY seq")
            assert [[each] for each in found] == kept
        assert sum(map(len, followed)) == 12 * 30
        counted = server.sql(store, "SELECT sum(messages) FROM workspace_usage")
        assert counted == server.sql(store, "SELECT count(*) FROM activity")


# --- a server that goes away --------------------------------------------------------------------

def test_while_the_server_is_away_requests_get_503_and_it_comes_back(build):
    with postgres.Server() as server:
        store = server.new_database()
        with platform_on(build, store) as platform:
            agent = platform.create_workspace("agent")
            for how in (signal.SIGINT, signal.SIGQUIT):
                assert platform.send(agent, "before").status == 200
                server.stop(how)
                for ask in (lambda: platform.send(agent, "x"),
                            lambda: platform.activity(agent)):
                    reply = ask()
                    assert reply.status == 503 and reply.headers["Retry-After"], reply
                health = platform.request("GET", "/health")
                assert (health.status, health.body) == (200, {"status": "ok"})
                server.start()
                until(lambda: platform.send(agent, "after").status == 200)
                until(lambda: platform.activity(agent).status == 200)


def test_a_server_that_hangs_is_given_up(build):
    """Its processes are stopped, not gone: nothing tells the platform."""
    with postgres.Server() as server:
        store = server.new_database()
        with platform_on(build, store) as platform:
            agent = platform.create_workspace("agent")
            backends = [int(row[0]) for row in server.sql(
                store, "SELECT pid FROM pg_stat_activity WHERE application_name = 'molecule-platform'")]
            for backend in backends:
                os.kill(backend, signal.SIGSTOP)
            try:
                started = time.monotonic()
                reply = platform.send(agent, "x")
                assert reply.status == 503 and time.monotonic() - started < 60
                assert platform.request("GET", "/health").status == 200
            finally:
                for backend in backends:
                    os.kill(backend, signal.SIGCONT)
            until(lambda: platform.send(agent, "after").status == 200)


def test_what_was_acknowledged_survives_a_crash_of_the_server(build):
    with postgres.Server() as server:
        store = server.new_database()
        with platform_on(build, store) as platform:
            agents = [platform.create_workspace(f"agent {n}") for n in range(3)]
            kept, stop = set(), threading.Event()

            def write(number):
                step = 0
                while not stop.is_set():
                    step += 1
                    name = f"{number}-{step}"
                    if platform.send(agents[step % 3], name, message_id=name).status == 200:
                        kept.add(name)

            writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
            for writer in writers:
                writer.start()
            until(lambda: len(kept) > 50)
            server.stop(signal.SIGQUIT)
            server.start()
            seen = len(kept)
            until(lambda: len(kept) > seen + 50)
            stop.set()
            for writer in writers:
                writer.join()
            stored = {row[0] for row in server.sql(
                store, "SELECT message_id FROM activity WHERE activity_type = 'a2a_receive'")}
            assert kept <= stored


# --- two that change the same -------------------------------------------------------------------

def test_of_two_instances_that_change_a_key_with_its_version_one_wins(build, store):
    with contextlib.ExitStack() as stack, concurrent.futures.ThreadPoolExecutor(8) as pool:
        both = [stack.enter_context(Platform(build, args=["--store", store],
                                             env={"ADMIN_TOKEN": "z" * 40})) for _ in range(2)]
        agent = both[0].create_workspace("agent")
        path = f"/workspaces/{agent.id}/memory"
        version = None
        for _ in range(10):
            body = {"key": "k", "value": 1}
            if version is not None:
                body["if_match_version"] = version
            replies = list(pool.map(
                lambda n: both[n % 2].request("POST", path, agent.token, json=body).status,
                range(1 if version is None else 8)))
            if version is not None:
                assert sorted(replies) == [200] + [409] * 7
            version = both[1].request("GET", f"{path}/k", agent.token).body["version"]


# --- texts --------------------------------------------------------------------------------------

def test_a_nul_in_a_text_is_kept_as_the_replacement_character(build, store):
    with platform_on(build, store) as platform:
        agent = platform.create_workspace("agent")
        made = platform.request("POST", f"/workspaces/{agent.id}/memories", agent.token,
                                json={"content": "a\0b", "scope": "LOCAL"})
        assert made.status == 201
        listed = platform.request("GET", f"/workspaces/{agent.id}/memories", agent.token).body
        assert [memory["content"] for memory in listed] == ["a\N{REPLACEMENT CHARACTER}b"]


def test_a_memory_with_more_words_than_an_index_takes_is_kept(build, store):
    with platform_on(build, store) as platform:
        agent = platform.create_workspace("agent")
        text = "beginning " + " ".join(f"{number:x}" * 4 for number in range(70_000))

        def commit():
            reply = platform.request("POST", f"/workspaces/{agent.id}/memories", agent.token,
                                     json={"content": text, "scope": "LOCAL"})
            # A busy machine may need longer than a statement may take.
            return reply if reply.status != 503 else None

        made = until(commit)
        assert made.status in (201, 413), made
        if made.status == 201:
            found = platform.request("GET", f"/workspaces/{agent.id}/memories?q=beginning",
                                     agent.token).body
            assert len(found) == 1
