"""What packages are made of, read without building one: packaging/gate does the rest."""

import json
import plistlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGING = ROOT / "packaging"
UNITS = {path.name.removesuffix(".in"): path for path in (PACKAGING / "systemd").iterdir()
         if path.name.removesuffix(".in").endswith((".service", ".socket"))}
USER_UNITS = ["molecule-mcp.service", "molecule-platform-user.service"]
# By `systemd-analyze security`: 10 is no protection at all.
MAX_EXPOSURE = {"molecule-mcp.service": 7.5, "molecule-platform-user.service": 6.5,
                "molecule-platform.service": 1.5}


def read(path):
    return (PACKAGING / path).read_text(encoding="utf-8")


def output_of(*command, check=True):
    ran = subprocess.run(list(map(str, command)), check=check, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True)
    return ran.stdout


@pytest.fixture
def units(build, tmp_path):
    """The units as this build would install them, but that they name the programs in the build."""
    for name, template in UNITS.items():
        text = template.read_text(encoding="utf-8").replace("@bindir@", str(build))
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
@pytest.mark.parametrize("name", sorted(UNITS))
def test_systemd_has_nothing_to_say_of_a_unit(units, name):
    assert output_of("systemd-analyze", "--man=no", "verify", units / name) == ""
    if name in MAX_EXPOSURE:
        shown = output_of("systemd-analyze", "--offline=yes", "security", units / name)
        exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", shown)
        assert float(exposure[1]) <= MAX_EXPOSURE[name], shown


def settings(name):
    found = {}
    for line in UNITS[name].read_text(encoding="utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize("name", sorted(MAX_EXPOSURE))
def test_a_service_tells_systemd_how_it_is_and_is_not_restarted_in_vain(name):
    unit = settings(name)
    assert unit["Type"] == ["notify"] and unit["WatchdogSec"] == ["60"]
    assert unit["Restart"] == ["on-failure"]
    hopeless = "2 3" if name == "molecule-mcp.service" else "2"
    assert unit["RestartPreventExitStatus"] == [hopeless]
    assert unit["UMask"] == ["0077"] and unit["NoNewPrivileges"] == ["yes"]


@pytest.mark.parametrize("name", USER_UNITS)
def test_a_user_unit_claims_no_protection_that_a_users_manager_ignores(name):
    without_effect = re.compile(r"^(Protect|Private|ReadWritePaths|ReadOnlyPaths|StateDirectory)")
    assert [key for key in settings(name) if without_effect.match(key)] == []


def test_the_agents_unit_leaves_handlers_what_they_need():
    """Node.js writes code into memory, and Codex's sandbox makes namespaces."""
    assert {"MemoryDenyWriteExecute", "RestrictNamespaces"}.isdisjoint(settings("molecule-mcp.service"))


def test_the_unit_of_service_install_keeps_odd_paths(build, tmp_path):
    """`%` begins a specifier of systemd; `$` means nothing where the unit has a path."""
    ran = subprocess.run([build / "molecule-mcp", "service", "install", "--dry-run"], check=True,
                         capture_output=True, text=True, cwd=tmp_path,
                         env={"HOME": str(tmp_path), "PATH": "/usr/bin:/opt/50%/$x y"})
    assert 'Environment="PATH=/usr/bin:/opt/50%%/$x y"\n' in ran.stdout


def test_launchd_can_read_the_agent():
    text = re.sub(r"@(\w+)@", r"/value of \1", read("launchd/molecule-mcp.plist.in"))
    agent = plistlib.loads(text.encode())
    assert agent["Label"] == "/value of label"
    assert all(word.startswith(("/", "-", "daemon")) for word in agent["ProgramArguments"])
    assert agent["RunAtLoad"] is True and agent["KeepAlive"] == {"SuccessfulExit": False}
    assert agent["Umask"] == 0o077 and agent["ProcessType"] == "Background"
    assert agent["ExitTimeOut"] > 20 and agent["ThrottleInterval"] >= 10
    assert agent["EnvironmentVariables"] == {"PATH": "/value of path"}
    label = re.search(r'agent_label = "(.*)"', (ROOT / "src/cli/service/service_file.hpp").read_text())[1]
    assert f"LaunchAgents/{label}.plist" in (ROOT / "docs/service.md").read_text(encoding="utf-8")


def control():
    """debian/control: the fields of each paragraph."""
    for paragraph in re.split(r"\n\n+", read("debian/control").strip()):
        yield dict(re.findall(r"^([\w-]+): *((?:.*)(?:\n[ \t].*)*)", paragraph, re.M))


def names(field):
    return {re.split(r"[\s(]", part.strip())[0] for part in re.split(r"[,|]", field)}


def test_the_debian_source_asks_for_what_the_build_needs():
    source = next(control())
    script = (ROOT / "scripts" / "common.sh").read_text(encoding="utf-8")
    needed = set(re.search(r"^build_packages=\((.*?)\)", script, re.M | re.S)[1].split())
    only_of_tests = {"doctest-dev", "ninja-build"}
    assert needed - only_of_tests <= names(source["Build-Depends"])
    assert "scdoc" in names(source["Build-Depends"])


def test_the_debian_packages_depend_on_what_the_linker_does_not_see():
    """libcurl is loaded when it is needed, and it reads the certificates; libpq only if the store is
    in PostgreSQL."""
    packages = {fields["Package"]: fields for fields in control() if "Package" in fields}
    assert set(packages) == {"molecule-mcp", "molecule-platform"}
    assert {"libcurl4", "libcurl4t64", "ca-certificates"} <= names(packages["molecule-mcp"]["Depends"])
    assert "libpq5" in names(packages["molecule-platform"]["Recommends"])
    for fields in packages.values():
        assert {"${shlibs:Depends}", "${misc:Depends}"} <= names(fields["Depends"])


@pytest.mark.parametrize("script", ["debian/rules", "portable/build"])
def test_what_is_handed_out_has_all_parts(script):
    """Without a library's headers such a build fails instead of leaving a part out."""
    assert {"platform", "postgres", "page"} <= set(re.findall(r"-D(\w+)=enabled", read(script)))


def test_the_debian_changelog_has_the_version_of_the_build():
    version = re.search(r"^  version: '(.*)',", (ROOT / "meson.build").read_text(encoding="utf-8"), re.M)
    assert read("debian/changelog").startswith(f"molecule-mcp ({version[1]}-")


def test_what_meson_installs_is_in_a_debian_package(build):
    """In both directions, but for the library, which the packages leave out."""
    known = json.loads(output_of("meson", "introspect", "--installed", build))
    options = json.loads(output_of("meson", "introspect", "--buildoptions", build))
    prefix = next(option["value"] for option in options if option["name"] == "prefix")
    installed = {str(Path(path).relative_to(prefix)) for path in known.values()
                 if Path(path).is_relative_to(prefix)}
    of_the_library = re.compile(r"^(include/|lib/(.*/)?(libmolecule-mcp\.a|pkgconfig/))")
    expected = {name.replace("zsh/site-functions", "zsh/vendor-completions") for name in installed
                if not of_the_library.match(name)}
    if "bin/molecule-platform" not in expected:
        pytest.skip("this build has no molecule-platform")
    listed = [line for name in ("molecule-mcp", "molecule-platform")
              for line in read(f"debian/{name}.install").split()]
    packed = {line.replace("${env:SYSTEM_UNITS}", "lib/systemd/system").removeprefix("usr/")
              for line in listed}
    if not shutil.which("scdoc"):
        packed = {name for name in packed if not name.startswith("share/man/")}
    assert len(listed) == len(set(listed))
    assert packed == expected


def handler_keys():
    table = (ROOT / "src/daemon/config/handler_table.cpp").read_text(encoding="utf-8")
    return set(re.findall(r'\{"(\w+)", Type::', table))


def test_the_help_of_the_daemon_has_every_key(build):
    shown = output_of(build / "molecule-mcp", "help", "daemon")
    options = set(re.findall(r"^  --([a-z-]+)", shown, re.M))
    flags = {"handler" if key == "kind" else key.replace("_", "-") for key in handler_keys()}
    assert options == flags | {"config", "check", "json"}
    assert output_of(build / "molecule-mcp", "daemon", "--help") == shown


def test_the_manual_of_the_daemons_file_has_every_key():
    keys = handler_keys()
    documented = set(re.findall(r"\*(\w+)\*", read("man/molecule-daemon.toml.5.scd")))
    assert len(keys) > 15 and keys <= documented, keys - documented


def test_the_manual_of_the_platform_has_every_option_and_variable(build):
    shown = output_of(build / "molecule-platform", "--help")
    manual = read("man/molecule-platform.1.scd")
    for name in {*re.findall(r"--[a-z-]+", shown), *re.findall(r"^  ([A-Z_]{5,})", shown, re.M)}:
        assert f"*{name}*" in manual, name


def test_the_container_runs_what_the_program_offers(build):
    lines = re.sub(r"\\\n\s*", "", read("container/Containerfile")).splitlines()
    steps = {line.split()[0]: line for line in lines if line and not line.startswith("#")}
    assert re.fullmatch(r"USER [1-9]\d*", steps["USER"])
    assert steps["VOLUME"] == "VOLUME /data" and steps["STOPSIGNAL"] == "STOPSIGNAL SIGTERM"
    entry = json.loads(steps["ENTRYPOINT"].partition(" ")[2])
    assert entry[:3] == ["molecule-platform", "--data", "/data"]
    asks = json.loads(steps["HEALTHCHECK"].partition("CMD ")[2])
    assert entry[-1].rpartition(":")[2] == asks[-1].rpartition(":")[2]
    # 2 would be wrong usage; nothing listens on port 1.
    ran = subprocess.run([build / asks[0], *asks[1:-1], "127.0.0.1:1"], check=False,
                         capture_output=True)
    assert ran.returncode == 1, ran.stderr


def formula_of(*arguments):
    return subprocess.run([PACKAGING / "homebrew" / "formula", *arguments], check=False,
                          capture_output=True, text=True)


def test_the_formula_builds_from_where_the_person_says(tmp_path):
    made = formula_of("https://example.org/a&b.git")
    assert made.returncode == 0 and made.stderr == ""
    assert 'head "https://example.org/a&b.git", using: :git' in made.stdout and "@" not in re.sub(
        "openssl@3", "", made.stdout)
    for wrong in ("http://example.org/x", 'https://e.org/"; system("id"); "', "--nothing", "x"):
        refused = formula_of(wrong)
        assert refused.returncode == 2 and "class" not in refused.stdout, refused
    if shutil.which("ruby"):
        path = tmp_path / "molecule-mcp.rb"
        path.write_text(made.stdout, encoding="utf-8")
        assert output_of("ruby", "-c", path).strip() == "Syntax OK"


def test_the_formula_sets_options_that_there_are():
    formula = read("homebrew/molecule-mcp.rb.in")
    options = set(re.findall(r"^option\('(\w+)'", (ROOT / "meson_options.txt").read_text(encoding="utf-8"), re.M))
    assert set(re.findall(r'"-D(\w+)=', formula)) <= options
    # The headers that have no other way to a Mac.
    for name in ("fmt", "openssl@3", "simdjson", "sqlite", "tomlplusplus", "cli11", "asio"):
        assert f'depends_on "{name}"' in formula, name
