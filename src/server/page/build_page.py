"""Bundles the page and writes it as C++: build_page.py ESBUILD MODULES SOURCES OUTPUT.cpp DEPFILE

MODULES is the folder of the distribution's JavaScript libraries. The files get names with a hash of
their content, so that browsers may keep them; index.html names them.
"""

import gzip
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

TARGET = "chrome100,firefox100,safari15"


def bundle(esbuild, modules, sources, folder):
    """Runs esbuild; returns the files that it read."""
    metafile = folder / "meta.json"
    command = [esbuild, str(sources / "main.tsx"), str(sources / "style" / "main.css"), "--bundle",
               "--minify", f"--outdir={folder}", "--entry-names=[name]", "--format=iife",
               f"--target={TARGET}", "--jsx-factory=h", "--log-level=warning", "--charset=utf8",
               # Debian's preact has no bundle for browsers, only its sources.
               # Debian's dompurify has a check of another function before its loop, on a name that is
               # not there: without a value for it every call would throw.
               "--define:shadowNode=false",
               f"--alias:preact={modules}/preact/src/preact.js", f"--metafile={metafile}"]
    # esbuild would take a configuration of TypeScript from above the build folder.
    result = subprocess.run(command, cwd=sources, env={**os.environ, "NODE_PATH": modules})
    if result.returncode != 0:
        sys.exit(result.returncode)
    return [sources / name for name in json.loads(metafile.read_text())["inputs"]]


def literal(data):
    """`data` as C++ string literals. Octal escapes have at most three digits, so they need no care
    about what follows."""
    plain = {byte: chr(byte) for byte in range(0x20, 0x7F) if chr(byte) not in '"\\?'}
    lines = (data[at:at + 1024] for at in range(0, len(data), 1024))
    text = ("".join(plain.get(byte, f"\\{byte:03o}") for byte in line) for line in lines)
    return "\n".join(f'      "{line}"' for line in text)


def entry(name, content_type, data):
    tag = hashlib.sha256(data).hexdigest()[:16]
    compressed = gzip.compress(data, 9, mtime=0)
    return (f'    {{"{name}", "{content_type}", "{tag}",\n     std::string_view(\n{literal(data)},\n'
            f'      {len(data)}),\n     std::string_view(\n{literal(compressed)},\n'
            f'      {len(compressed)})}},\n', len(compressed))


def main():
    esbuild, modules, sources, output, depfile = sys.argv[1:]
    sources = pathlib.Path(sources).resolve()
    entries, total = [], 0

    def add(name, content_type, data):
        nonlocal total
        text, size = entry(name, content_type, data)
        entries.append(text)
        total += size

    def add_hashed(stem, ending, content_type, data):
        name = f"{stem}-{hashlib.sha256(data).hexdigest()[:10]}.{ending}"
        add(name, content_type, data)
        return f"page/{name}"

    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        read = bundle(esbuild, modules, sources, folder)
        script, style = (folder / "main.js").read_bytes(), (folder / "main.css").read_bytes()
    page = (sources / "index.html").read_text()
    icon = (sources / "icon.svg").read_bytes()
    page = page.replace("{{SCRIPT}}", add_hashed("app", "js", "text/javascript; charset=utf-8", script))
    page = page.replace("{{STYLE}}", add_hashed("app", "css", "text/css; charset=utf-8", style))
    page = page.replace("{{ICON}}", add_hashed("icon", "svg", "image/svg+xml", icon))
    add("", "text/html; charset=utf-8", page.encode())
    limit = 100_000
    if total > limit:
        sys.exit(f"the page has {total} bytes compressed, more than {limit}")
    read += [sources / "index.html", sources / "icon.svg", pathlib.Path(__file__).resolve()]
    pathlib.Path(output).write_text(
        "// Made by build_page.py.\n\n"
        '#include "server/page/page.hpp"\n\n'
        # A standard's minimum, which no compiler here has as its limit.
        '#pragma GCC diagnostic ignored "-Woverlength-strings"\n\n'
        "namespace molecule::server::page {\n\n"
        "const std::vector<File>& files() {\n  static const std::vector<File> all{\n"
        + "".join(entries) + "  };\n  return all;\n}\n\n"
        "}  // namespace molecule::server::page\n")
    pathlib.Path(depfile).write_text(
        f"{output}: " + " ".join(str(path).replace(" ", "\\ ") for path in read) + "\n")
    print(f"the page: {total} bytes compressed")


main()
