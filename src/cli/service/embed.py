"""Writes the service templates of packaging/ as C++: embed.py OUTPUT SYSTEMD LAUNCHD"""

import pathlib
import sys


def main():
    output, systemd, launchd = sys.argv[1:]
    out = '#include "cli/service/templates.hpp"\n\nnamespace molecule::cli {\n\n'
    for name, file in (("systemd_template", systemd), ("launchd_template", launchd)):
        text = pathlib.Path(file).read_text()
        out += f'const std::string_view {name} = R"file({text})file";\n\n'
    pathlib.Path(output).write_text(out + "}  // namespace molecule::cli\n")


main()
