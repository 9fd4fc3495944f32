"""The servers that ours is compared with. Their sources are copied to a cache folder and built
there once, with each toolchain's own package client."""

import dataclasses
import hashlib
import os
import pathlib
import shutil
import subprocess

SOURCES = pathlib.Path(__file__).parent / "peers"


class Missing(Exception):
    """Why a server cannot be measured on this machine."""


@dataclasses.dataclass
class Server:
    name: str
    command: list
    # For `mcp_load call`: a tool that does next to nothing.
    tool: str = "inbox_peek"


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "molecule-bench"


def _need(program):
    found = shutil.which(program)
    if not found:
        raise Missing(f"{program} is not installed")
    return found


def _prepare(name, *steps):
    """The folder in which `steps` were run on the sources of `name`, now or earlier."""
    source = SOURCES / name
    files = sorted(path for path in source.rglob("*") if path.is_file())
    state = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    folder = cache_folder() / name
    stamp = folder / ".built"
    if stamp.is_file() and stamp.read_text() == state:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)
    for step in steps:
        done = subprocess.run(step, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, env={**os.environ, "GOFLAGS": "-mod=mod"})
        if done.returncode != 0:
            last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no reason given"]
            raise Missing(f"{pathlib.Path(step[0]).name}: {last[0]}")
    stamp.write_text(state)
    return folder


def _rust():
    folder = _prepare("rust", [_need("cargo"), "build", "--release", "--quiet"])
    return Server("Rust SDK (rmcp 3.11), minimal", [str(folder / "target" / "release" / "peer")])


def _go():
    folder = _prepare("go", [_need("go"), "build", "-o", "peer", "."])
    return Server("Go SDK 1.8, minimal", [str(folder / "peer")])


def _typescript():
    node = _need("node")
    folder = _prepare("typescript",
                      [_need("npm"), "install", "--silent", "--no-audit", "--no-fund"])
    package = folder / "node_modules" / "@modelcontextprotocol" / "server-everything"
    return Server("TypeScript SDK's reference server",
                  [node, str(package / "dist" / "index.js"), "stdio"], 'echo={"message":"[]"}')


def _with_pip(name):
    return _prepare(name, [_need("python3"), "-m", "venv", "env"],
                    ["env/bin/pip", "install", "--quiet", "-r", "requirements.txt"])


def _python():
    folder = _with_pip("python")
    return Server("Python SDK 2.3, minimal",
                  [str(folder / "env" / "bin" / "python"), str(folder / "server.py")])


def _runtime():
    folder = _with_pip("runtime")
    return Server("the platform's Python runtime", [str(folder / "env" / "bin" / "molecule-mcp")])


def prepare_all(say):
    """The servers that this machine can run, and the reason for each that it cannot."""
    servers, missing = [], []
    for what, make in (("the Rust SDK", _rust), ("the Go SDK", _go),
                       ("the TypeScript SDK's reference server", _typescript),
                       ("the Python SDK", _python), ("the platform's Python runtime", _runtime)):
        say(f"preparing {what}")
        try:
            servers.append(make())
        except Missing as why:
            missing.append(f"{what}: {why}")
    return servers, missing
