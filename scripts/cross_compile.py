#!/usr/bin/env python3
"""Compiles every source of molecule-mcp for another system, to objects only: what is Linux's own
must have a fallback. Takes the sources and macros from a configured build, the compiler with its
system headers from a wheel, and the libraries' headers from this machine (they are the same on
every system, but for OpenSSL's configuration, which does not matter to objects).

usage: scripts/cross_compile.py BUILD ZIG TARGET…     e.g. build build/zig/bin/python aarch64-macos
"""

import concurrent.futures
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
# Where the headers of the libraries lie; the system's own headers must not be found there.
INCLUDES = [Path("/usr/include"), Path("/usr/include") / f"{os.uname().machine}-linux-gnu"]
LIBRARIES = ["asio", "asio.hpp", "fmt", "CLI", "simdjson.h", "sqlite3.h", "curl", "toml++",
             "libpq-fe.h", "postgres_ext.h", "pg_config_ext.h", "postgresql"]


def headers(folder):
    """Links to the libraries' headers alone; OpenSSL's lie in two folders on Debian."""
    for name in LIBRARIES:
        found = [place / name for place in INCLUDES if (place / name).exists()]
        if found:
            (folder / name).symlink_to(found[0])
    (folder / "openssl").mkdir()
    for place in INCLUDES:
        for header in (place / "openssl").glob("*.h"):
            (folder / "openssl" / header.name).symlink_to(header)


def commands(build):
    """(source, macros) of each source that becomes part of molecule-mcp."""
    known = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    seen = set()
    for entry in known:
        source = (build / entry["file"]).resolve()
        room = source.relative_to(TOP).parts
        if room[0] != "src" or room[1] == "server" or room[1:3] == ("app", "platform"):
            continue
        if source in seen:
            continue
        seen.add(source)
        words = shlex.split(entry["command"])
        yield source, [word for word in words
                       if word.startswith(("-DASIO", "-DMOLECULE")) and word != "-DMOLECULE_LINUX"]


def compile_one(zig, target, source, macros, includes):
    if target.partition("-")[2].startswith("linux"):
        macros = [*macros, "-DMOLECULE_LINUX"]
    return subprocess.run(
        [zig, "-m", "ziglang", "c++", "-target", target, "-std=c++20", "-O0", "-w", "-c", source,
         # After its math.h, which takes a part of float.h, float.h is never read whole.
         "-DFLT_RADIX=__FLT_RADIX__", "-isystem", includes, "-I", TOP / "include", "-I", TOP / "src", *macros,
         "-o", Path(includes) / f"{source.parent.name}-{source.stem}.o"], cwd=includes,
        capture_output=True, text=True, check=False)


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    # Not resolved: the link in a virtual environment is what makes it that environment's Python.
    build, zig, targets = Path(sys.argv[1]).resolve(), os.path.abspath(sys.argv[2]), sys.argv[3:]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        headers(Path(folder))
        for target in targets:
            sources = list(commands(build))
            with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
                tries = {pool.submit(compile_one, zig, target, source, macros, folder): source
                         for source, macros in sources}
                for done in concurrent.futures.as_completed(tries):
                    if done.result().returncode != 0:
                        failed += 1
                        print(f"{target}: {tries[done].relative_to(TOP)}\n{done.result().stderr}")
            print(f"{target}: {len(sources)} sources, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
