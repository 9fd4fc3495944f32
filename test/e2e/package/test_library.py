"""The installed protocol library: a program builds against nothing but what is installed, and serves."""

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from support.mcp import McpProcess

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "docs" / "example_server"


def compiler_of(build):
    """The C++ compiler that the build was configured with."""
    command = shlex.split(json.loads((build / "compile_commands.json").read_text())[0]["command"])
    return [command[0]] if "ccache" not in command[0] else command[:2]


@pytest.fixture(scope="module")
def environment(build, sanitized, tmp_path_factory):
    """Everything installed below a folder that stands for the root, and pkg-config looking there."""
    if sanitized:
        pytest.skip("a library with sanitizers is not for others to link")
    if not shutil.which("pkg-config"):
        pytest.skip("no pkg-config")
    stage = tmp_path_factory.mktemp("stage")
    subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", stage],
                   check=True, stdout=subprocess.DEVNULL)
    found = list(stage.rglob("molecule-mcp.pc"))
    if not found:
        pytest.skip("the library is not installed by this build")
    return {**os.environ, "PKG_CONFIG_PATH": str(found[0].parent), "PKG_CONFIG_SYSROOT_DIR": str(stage)}


def ask_pkg_config(environment, *words):
    asked = subprocess.run(["pkg-config", *words, "molecule-mcp"], env=environment, check=True,
                           capture_output=True, text=True)
    return shlex.split(asked.stdout)


@pytest.fixture(scope="module")
def example(build, environment, tmp_path_factory):
    folder = tmp_path_factory.mktemp("example")
    source = shutil.copy(EXAMPLE / "example_server.cpp", folder)
    flags = ask_pkg_config(environment, "--cflags", "--libs")
    assert not any(str(ROOT / top) in flag for flag in flags for top in ("src", "include"))
    program = folder / "example_server"
    built = subprocess.run([*compiler_of(build), "-std=c++20", "-Wall", "-Wextra", "-Werror", source, "-o", program,
                            *flags], cwd=folder, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return program


def test_the_example_serves_its_tool(example, base_env):
    host = McpProcess(example, base_env)
    answer = host.initialize("2025-11-25")
    assert answer["serverInfo"]["name"] == "example"
    (tool,) = host.request("tools/list")["result"]["tools"]
    assert tool["name"] == "repeat" and tool["inputSchema"]["required"] == ["text"]
    assert host.call("repeat", text="ab", times=3).text == "ababab"
    wrong = host.call("repeat", times=3)
    assert wrong.failed and "text" in wrong.text
    host.finish()


def test_every_installed_header_stands_alone(build, environment, tmp_path):
    """What it includes is installed too."""
    (include,) = [flag[2:] for flag in ask_pkg_config(environment, "--cflags-only-I")
                  if flag.endswith("molecule-mcp")]
    headers = sorted(path.relative_to(include) for path in Path(include).rglob("*.hpp"))
    assert len([path for path in headers if path.parts[0] == "molecule"]) >= 7, headers
    source = tmp_path / "all.cpp"
    source.write_text("".join(f'#include "{path}"\n' for path in headers))
    compiled = subprocess.run([*compiler_of(build), "-std=c++20", "-fsyntax-only", source,
                               *ask_pkg_config(environment, "--cflags")],
                              cwd=tmp_path, capture_output=True, text=True)
    assert compiled.returncode == 0, compiled.stderr


def test_the_archive_needs_no_other_room(environment):
    """No sqlite, no libcurl: what pkg-config names is all."""
    libraries = ask_pkg_config(environment, "--libs-only-l")
    assert "-lmolecule-mcp" in libraries
    assert not [name for name in libraries if "sqlite" in name or "curl" in name], libraries
