"""Several instances of the platform on one PostgreSQL database, for tests.

    with Cluster(build, 3) as cluster:
        first, second, third = cluster.instances
"""

import contextlib
import secrets
import tempfile
from pathlib import Path

import pytest

from support import postgres
from support.platform import Platform


class Cluster:
    def __init__(self, build, count, env=None, server=None):
        if postgres.programs() is None:
            pytest.skip("PostgreSQL is not installed")
        self._build, self._count, self._env = build, count, dict(env or {})
        self._env["ADMIN_TOKEN"] = self.admin_token = secrets.token_urlsafe(32)
        self.server = server or postgres.shared_server()
        self.instances, self._stack = [], contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cluster-")))
            self.store = self.server.new_database()
            arguments = ["--store", self.store, "--uploads", str(folder / "uploads")]
            for number in range(self._count):
                instance = Platform(self._build, data_dir=folder / str(number), env=self._env, args=arguments)
                self.instances.append(stack.enter_context(instance))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *failure):
        return self._stack.__exit__(*failure)

    def leader(self):
        """The place in `instances` of the one that does what one does for all; None for none."""
        for number, instance in enumerate(self.instances):
            if instance.process and instance.admin("GET", "/admin/liveness").body["leads"]:
                return number
        return None
