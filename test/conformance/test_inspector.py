"""Runs the official inspector's command line against the product, in its three era modes."""

import json

import pytest
from conftest import PACKAGES, run_node

INSPECTOR = PACKAGES / "@modelcontextprotocol/inspector/clients/launcher/build/index.js"
ERAS = ("legacy", "auto", "modern")


@pytest.fixture(scope="module")
def environment(product):
    return product.environment()


def inspect(product, environment, era, *args):
    # The inspector passes only the variables it is told to.
    variables = [word for name, value in environment.items() for word in ("-e", f"{name}={value}")]
    return run_node(INSPECTOR, "--cli", *variables, "--protocol-era", era, "--format", "json",
                    *args, product.binary, env=environment)


@pytest.mark.parametrize("era", ERAS)
def test_tools_are_portable(product, environment, era):
    ended = inspect(product, environment, era, "--method", "tools/list", "--strict")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert {"wait_for_message", "inbox_pop"} <= {t["name"] for t in json.loads(ended.stdout)["result"]["tools"]}


@pytest.mark.parametrize("era", ERAS)
def test_call(product, environment, era):
    ended = inspect(product, environment, era, "--method", "tools/call", "--tool-name", "inbox_peek")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert not json.loads(ended.stdout)["result"].get("isError"), ended.stdout
