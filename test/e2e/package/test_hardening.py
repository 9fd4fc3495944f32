"""What the compiler and the linker put into the programs against exploitation, read from the ELF."""

import platform
import re
import shutil
import subprocess

import pytest

PROGRAMS = ("molecule-mcp", "molecule-platform")


@pytest.fixture(scope="module", params=PROGRAMS)
def program(request, build, sanitized):
    if sanitized:
        pytest.skip("sanitizers take the place of some of it")
    if not shutil.which("readelf"):
        pytest.skip("no readelf")
    return build / request.param


def readelf(program, *options):
    return subprocess.run(["readelf", "--wide", *options, program], check=True, capture_output=True,
                          text=True).stdout


def test_fault_C14_it_is_position_independent(program):
    assert re.search(r"Type: +DYN", readelf(program, "--file-header"))
    assert re.search(r"\(FLAGS_1\).*\bPIE\b", readelf(program, "--dynamic"))


def test_fault_C14_the_relocations_are_read_only_from_the_start(program):
    assert "GNU_RELRO" in readelf(program, "--program-headers")
    dynamic = readelf(program, "--dynamic")
    assert re.search(r"\bBIND_NOW\b|\(FLAGS_1\).*\bNOW\b", dynamic), dynamic


def test_fault_C14_neither_the_stack_nor_any_data_can_be_executed(program):
    headers = readelf(program, "--program-headers")
    (stack,) = re.findall(r"GNU_STACK +(?:0x\w+ +){5}(\S*)", headers)
    assert stack == "RW", headers
    for flags in re.findall(r"LOAD +(?:0x\w+ +){5}([RWE ]+?) +0x", headers):
        assert not ("W" in flags and "E" in flags), headers


def test_fault_C14_overflows_of_the_stack_and_of_known_buffers_end_it(program):
    imported = re.findall(r" UND (\w+)", readelf(program, "--dyn-syms"))
    assert "__stack_chk_fail" in imported
    assert [name for name in imported if name.endswith("_chk") and name != "__longjmp_chk"], imported


@pytest.mark.skipif(platform.machine() != "x86_64", reason="a property of x86")
def test_fault_C14_jumps_and_returns_are_compiled_for_the_processors_checks(build, program):
    """Every object says so. In the program the linker keeps it only where the C library's own start
    files say it too, which Debian's do not."""
    (own,) = build.glob(f"{program.name}.p/*_{program.name.replace('-', '_')}.cpp.o")
    assert re.search(r"x86 feature: IBT, SHSTK", readelf(own, "--notes"))
