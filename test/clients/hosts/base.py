"""What a host has to tell: its packages, and how it is started for a session."""

import json

import install


class Host:
    """`command(session)` writes the host's configuration and gives its command line and what its
    environment needs besides. A host with a `handler`, which is the daemon's word for it, has
    `as_handler(session)`: how the daemon starts it, and the environment. `note` is what a person has to set for the scenarios to work."""

    title = ""
    packages = ()
    note = ""

    @property
    def name(self):
        return self.title.lower().replace(" ", "-")

    @property
    def version(self):
        return install.version_of(self.packages[0])

    def install(self):
        raise NotImplementedError

    def command(self, session):
        raise NotImplementedError


class NpmHost(Host):
    def install(self):
        self.modules = install.npm(self.name, *self.packages)

    def binary(self, name):
        return self.modules / ".bin" / name


def server_entry(session, **more):
    """The entry of most hosts' JSON for a server on stdio."""
    return {"command": session.server[0], "args": session.server[1:], "env": session.variables,
            **more}


def as_json(value):
    return json.dumps(value, indent=1)
