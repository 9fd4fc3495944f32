"""Runs the public suite's generic scenarios on the product: no failures, no warnings."""

import pytest
from conftest import REVISIONS, SUITE, Bridge, failures, run_node

# Scenarios that need nothing beyond what every server has.
GENERIC = {
    "2025-11-25": ["server-initialize", "server-session-lifecycle", "ping", "logging-set-level",
                   "tools-list", "resources-list", "prompts-list", "server-sse-multiple-streams",
                   "dns-rebinding-protection"],
    "2026-07-28": ["tools-list", "resources-list", "prompts-list", "caching", "sep-2164-resource-not-found",
                   "server-sse-multiple-streams", "http-header-validation",
                   "dns-rebinding-protection"],
}


@pytest.fixture(scope="module")
def product_url(product):
    with Bridge(product.binary, env=product.environment()) as bridge:
        yield bridge.url


@pytest.mark.parametrize("revision, scenario", [(r, s) for r in REVISIONS for s in GENERIC[r]])
def test_product(product_url, tmp_path, revision, scenario):
    ended = run_node(SUITE, "server", "--url", product_url, "--scenario", scenario,
                     "--spec-version", revision, "--output-dir", tmp_path)
    found = list(tmp_path.glob(f"server-{scenario}-2*"))
    assert found, ended.stdout + ended.stderr
    assert failures(found[0]) == []
