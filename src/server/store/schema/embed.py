"""Writes the migrations of one engine as C++: embed.py OUTPUT NAMESPACE FILE.sql..."""

import hashlib
import pathlib
import re
import sys


def entry(path):
    number, name = re.fullmatch(r"(\d{4})_(\w+)", path.stem).groups()
    text = path.read_text()
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f'    {{{int(number)}, "{name}",\n     "{digest}",\n     R"sql({text})sql"}},\n'


def main():
    output, namespace, *files = sys.argv[1:]
    paths = sorted(pathlib.Path(file) for file in files)
    numbers = [int(path.stem[:4]) for path in paths]
    if numbers != list(range(1, len(paths) + 1)):
        sys.exit(f"migrations must be numbered from 0001 without gaps: {numbers}")
    pathlib.Path(output).write_text(
        '#include "server/store/migrations.hpp"\n\n'
        f"namespace molecule::server::store::{namespace} {{\n\n"
        "const std::vector<Migration>& migrations() {\n"
        "  static const std::vector<Migration> all{\n"
        + "".join(entry(path) for path in paths)
        + "  };\n  return all;\n}\n\n"
        f"}}  // namespace molecule::server::store::{namespace}\n")


main()
