import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from support import postgres  # noqa: E402
from support.fake_platform import FakePlatform  # noqa: E402
from support.mcp import McpProcess, is_sanitized  # noqa: E402
from support.platform import Platform  # noqa: E402

# A shell that starts something in the background ignores these for it, and the programs under test
# rightly keep what is ignored. A Python handler is reset in every child.
for _signal in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(_signal) == signal.SIG_IGN:
        signal.signal(_signal, signal.default_int_handler)

HERE = Path(__file__).parent
EPOCH = str(int(time.time()))


def pytest_addoption(parser):
    parser.addoption("--build", default=os.environ.get("MOLECULE_BUILD", "build"),
                     help="build folder with the programs under test")


def pytest_make_parametrize_id(config, val, argname):
    """Keeps test ids readable: string values are escaped and cut."""
    if isinstance(val, (str, bytes)):
        return ascii(val)[:40]
    return None


def pytest_configure(config):
    config.addinivalue_line("markers", "sqlite: about the SQLite file of a platform")


def pytest_collection_modifyitems(items):
    if not postgres.CHOSEN:
        return
    for item in items:
        if item.get_closest_marker("sqlite"):
            item.add_marker(pytest.mark.skip(reason="the store is in PostgreSQL"))


def find_program(config, name):
    build = Path(config.getoption("--build")).resolve()
    for path in (build / name, build / "src" / "app" / name):
        if path.is_file():
            return path
    raise pytest.UsageError(f"no {name} in {build}: build it first, or pass --build")


@pytest.fixture(scope="session")
def build(pytestconfig):
    return find_program(pytestconfig, "molecule-platform").parent


@pytest.fixture(scope="session")
def mcp_binary(pytestconfig):
    return find_program(pytestconfig, "molecule-mcp")


@pytest.fixture(scope="session")
def sanitized(mcp_binary):
    return is_sanitized(mcp_binary)


@pytest.fixture(scope="session")
def preload(tmp_path_factory):
    """A function: the name of a C file of support/ -> the library that LD_PRELOAD takes."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("clang-19")

    def built(name):
        if not compiler:
            pytest.skip(f"no C compiler for support/{name}.c")
        library = tmp_path_factory.mktemp(name) / f"{name}.so"
        subprocess.run([*compiler.split(), "-shared", "-fPIC", "-O1", "-o", library,
                        HERE / "support" / f"{name}.c"], check=True)
        return str(library)

    return built


@pytest.fixture(scope="session")
def speedup(preload):
    """A function: factor → the environment that makes a child's time run that much faster."""
    library = preload("speedup")
    return lambda factor: {"LD_PRELOAD": library, "SPEEDUP": str(factor), "SPEEDUP_EPOCH": EPOCH}


@pytest.fixture(scope="session")
def refusing(preload):
    """A function: file_locks=, locks=, shared_memory= (error numbers) -> the environment of a child
    whose system calls for these fail."""
    library = preload("refuse")
    return lambda **codes: {"LD_PRELOAD": library,
                            **{f"REFUSE_{what.upper()}": str(code) for what, code in codes.items()}}


@pytest.fixture
def platform(build):
    """The real platform, started, with an empty store."""
    with Platform(build) as started:
        yield started


@pytest.fixture
def workspace_id():
    return str(uuid.uuid4())


@pytest.fixture
def token():
    return secrets.token_urlsafe(32)


@pytest.fixture
def fake(token):
    platform = FakePlatform()
    platform.inbound_secret = secrets.token_urlsafe(32)
    yield platform
    platform.close()
    platform.assert_keeps_secrets([token, platform.inbound_secret])


def sanitizer_environment():
    """Makes sanitizer reports end the child with an exit code that no test expects."""
    return {"ASAN_OPTIONS": "detect_stack_use_after_return=1:detect_leaks=1:exitcode=99",
            "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99"}


@pytest.fixture
def base_env(tmp_path, sanitized):
    """The environment that a child inherits: nothing from the tester's own."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    # The leak checker and, where they are not root's, tests look into it as a debugger does.
    look = sanitized or os.geteuid() != 0
    told = {"MOLECULE_ALLOW_CORE_DUMPS": "1"} if look else {}
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **told,
            **sanitizer_environment()}


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def env(base_env, fake, workspace_id, token, state):
    """A complete configuration for one workspace on the fake platform."""
    return {**base_env, "WORKSPACE_ID": workspace_id, "PLATFORM_URL": fake.url,
            "MOLECULE_WORKSPACE_TOKEN": token, "CONFIGS_DIR": str(state)}


@pytest.fixture
def spawn(request, mcp_binary, env, token, fake):
    """A function that starts molecule-mcp. Entries of `changes` are added to `env`, None removes
    one; `speed` accelerates its time. All children are stopped and checked after the test."""
    children = []

    def start(changes=None, args=(), speed=1, secrets=(), **popen):
        merged = {**env, **(changes or {})}
        if speed != 1:
            merged.update(request.getfixturevalue("speedup")(speed))
        merged = {k: v for k, v in merged.items() if v is not None}
        child = McpProcess(mcp_binary, merged, args, {token, fake.inbound_secret, *secrets}, **popen)
        children.append(child)
        return child

    yield start
    errors = []
    for child in children:
        try:
            child.finish()
        except AssertionError as error:
            errors.append(error)
    if errors:
        raise errors[0]


@pytest.fixture
def mcp(spawn):
    """An initialized molecule-mcp whose time runs 20 times as fast."""
    child = spawn(speed=20)
    child.initialize()
    return child


@pytest.fixture
def claude(spawn):
    """The same with Claude Code as the host, which supports pushes."""
    child = spawn(speed=20)
    child.initialize("2025-11-25", "claude-code")
    return child
