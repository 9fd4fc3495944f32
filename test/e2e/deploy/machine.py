"""The machine that docs/deploy.md tells of: its folders, its services and its commands, below one
folder of a test. Commands of the document run unchanged but for paths and ports; `systemctl` starts
the real programs as their units would."""

import os
import shlex
import shutil
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from support.deadline import DEADLINE
from support.platform import Platform, child_env, until
from support.tls import make_certificate

NAMES = ("agents.example.org", "www.example.org")

# What stands for a command of the system. `systemctl` tells the test, which answers when it is done.
COMMANDS = {
    "sudo": '[ "$1" = -u ] && shift 2; exec "$@"',
    "install": 'for a; do shift; if [ "$a" = -o ]; then skip=1; continue; fi\n'
               'if [ -n "$skip" ]; then skip=; continue; fi; set -- "$@" "$a"; done; exec /usr/bin/install "$@"',
    "apt-get": 'exec echo "apt-get $*"',
    "curl": 'exec /usr/bin/curl --noproxy "*" --connect-to "::127.0.0.1:$TLS_PORT" --cacert "$TLS_CA" "$@"',
    "nginx": 'exec /usr/sbin/nginx -e stderr -c "$NGINX_CONF" "$@"',
    "molecule-platform": 'case $1 in health) set -- "$@" --listen "127.0.0.1:$PLATFORM_PORT";; esac\n'
                         'exec "$BUILD/molecule-platform" "$@"',
    "molecule-mcp": 'exec "$BUILD/molecule-mcp" "$@"',
    "systemctl": "exec /usr/bin/python3 -c 'import os, socket, sys\n"
                 "s = socket.socket(socket.AF_UNIX); s.connect(os.environ[\"CONTROL\"])\n"
                 "s.sendall(\" \".join(sys.argv[1:]).encode() + b\"\\n\")\n"
                 "answer = s.makefile().read(); sys.stderr.write(answer); sys.exit(bool(answer))' \"$@\"",
}


def need(program):
    found = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if not found:
        pytest.skip(f"{program} is not installed")
    return found


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Machine:
    def __init__(self, build, folder, database=None):
        """`database`: a PostgreSQL server of this machine; then no platform runs at first."""
        self.build, self.folder, self.database = build, folder, database
        self.instances = {}  # by the port that the document names
        self.data, self.home = folder / "data", folder / "home"
        self.platform, self.port = None, 0
        self.tls_port, self.authority = free_port(), None
        self._web, self._enabled = None, []
        for made in ("bin", "home", "etc/default", "etc/caddy", "etc/nginx/sites-enabled", "etc/systemd/system",
                     "nginx"):
            (folder / made).mkdir(parents=True)
        for name, script in COMMANDS.items():
            command = folder / "bin" / name
            command.write_text(f"#!/bin/sh\n{script}\n")
            command.chmod(0o755)
        self._control = socket.socket(socket.AF_UNIX)
        # The path of such a socket has at most 107 bytes: named from the folder itself.
        self._control.bind(f"/proc/self/fd/{os.open(folder, os.O_RDONLY)}/control")
        self._control.listen()
        threading.Thread(target=self._serve_control, daemon=True).start()

    def __enter__(self):
        if not self.database:
            self.systemctl("start", "molecule-platform")
        return self

    def __exit__(self, kind, *rest):
        self._control.shutdown(socket.SHUT_RDWR)
        self._control.close()
        self._stop_web()
        for platform in [self.platform, *self.instances.values()]:
            if platform:
                platform.__exit__(kind, *rest)

    # --- the document's blocks ------------------------------------------------------------

    def localized(self, text):
        """The text with this machine's paths and ports."""
        for theirs, ours in (("/var/lib/molecule-platform", self.data), ("/var/backups", self.folder / "backups"),
                             ("/usr/bin/molecule-platform", self.build / "molecule-platform"),
                             ("/etc/", f"{self.folder}/etc/"), ("127.0.0.1:8080", f"127.0.0.1:{self.port}"),
                             ("listen 443", f"listen 127.0.0.1:{self.tls_port}")):
            text = text.replace(theirs, str(ours))
        for named, instance in self.instances.items():
            text = text.replace(f"127.0.0.1:{named}", f"127.0.0.1:{instance.port}")
        if self.database:
            here = f"host={self.database.folder}&port={self.database.port}"
            text = text.replace("postgres:///molecule", f"postgres://molecule-platform@/molecule?{here}")
        return text

    def write(self, block):
        Path(self.localized(block.file)).write_text(self.localized(block.text))

    def run(self, block, cwd=None, **env):
        """What the commands print."""
        ended = subprocess.run(["bash", "-euo", "pipefail", "-c", self.localized(block.text)], text=True,
                               capture_output=True, stdin=subprocess.DEVNULL, timeout=DEADLINE,
                               cwd=cwd or self.folder, env=self.environment(**env))
        assert ended.returncode == 0, (block.text, ended)
        return ended.stdout

    def environment(self, **more):
        inherited = child_env(self.home)
        if self.database:
            inherited |= {"PGHOST": str(self.database.folder), "PGPORT": str(self.database.port),
                          "PGUSER": "molecule"}
        return inherited | {
            "PATH": f"{self.folder / 'bin'}:{inherited['PATH']}", "BUILD": str(self.build),
            "CONTROL": str(self.folder / "control"), "PLATFORM_PORT": str(self.port),
            "TLS_PORT": str(self.tls_port), "TLS_CA": str(self.authority),
            "NGINX_CONF": str(self.folder / "nginx" / "nginx.conf"),
        } | more

    # --- services -------------------------------------------------------------------------

    def _serve_control(self):
        while True:
            try:
                connection, _ = self._control.accept()
            except OSError:
                return
            with connection:
                request = connection.makefile().readline().split()
                try:
                    self.systemctl(*request)
                except Exception as error:  # the block fails with it
                    connection.sendall(f"{error!r}\n".encode())

    def systemctl(self, *arguments):
        verb, *units = [argument for argument in arguments if not argument.startswith("--")]
        for unit in units:
            self._change_unit(verb, unit)

    def _change_unit(self, verb, unit):
        if unit.startswith("molecule-platform@"):
            named = unit.partition("@")[2]
            if verb == "stop":
                self.instances[named].stop()
            else:
                assert verb in ("enable", "start"), verb
                self._start_instance(named)
        elif verb == "enable":
            self._enabled.append(unit)
        elif unit in ("nginx", "caddy"):
            assert verb in ("reload", "restart"), verb
            self._stop_web()
            getattr(self, f"_start_{unit}")()
        else:
            assert unit == "molecule-platform" and verb in ("start", "stop", "restart"), (verb, unit)
            if verb != "start":
                self.platform.__exit__(None)
            if verb != "stop":
                self._start_platform()

    def _variables(self):
        file = self.folder / "etc" / "default" / "molecule-platform"
        lines = file.read_text().splitlines() if file.exists() else []
        return dict(line.split("=", 1) for line in lines)

    def _start_platform(self):
        self.platform = Platform(self.build, data_dir=self.data, listen=f"127.0.0.1:{self.port}",
                                 env=self._variables()).start()
        self.port = self.platform.port

    def _start_instance(self, named):
        """What the unit of several instances says, on a port of the kernel's choice."""
        if named in self.instances:
            self.instances[named]._listen = f"127.0.0.1:{self.instances[named].port}"
            self.instances[named].start()
            return
        unit = (self.folder / "etc" / "systemd" / "system" / "molecule-platform@.service").read_text()
        settings = dict(line.split("=", 1) for line in unit.splitlines() if "=" in line)
        arguments = shlex.split(settings["ExecStart"].replace("%i", named))[1:]
        given = dict(zip(arguments[::2], arguments[1::2]))
        assert given.pop("--listen") == f"127.0.0.1:{named}"
        name, source = settings["LoadCredential"].split(":")
        credentials = self.folder / "credentials"
        credentials.mkdir(exist_ok=True)
        shutil.copy(source, credentials / name)
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.instances[named] = Platform(
            self.build, data_dir=given.pop("--data"), args=[part for pair in given.items() for part in pair],
            env=self._variables() | {"CREDENTIALS_DIRECTORY": str(credentials)}).start()

    def _start_web(self, command, **env):
        log = open(self.folder / "web.log", "ab")
        self._web = subprocess.Popen(command, env=self.environment(**env), stdout=log, stderr=log,
                                     stdin=subprocess.DEVNULL)
        log.close()
        until(lambda: listens(self.tls_port) or self._web.poll() is not None, what=command[0])
        assert self._web.poll() is None, (self.folder / "web.log").read_text()

    def _stop_web(self):
        if self._web:
            self._web.terminate()
            self._web.wait(DEADLINE)
            self._web = None

    def prepare_nginx(self):
        """What Debian's nginx.conf says, with everything below the folder."""
        need("nginx")
        self.authority = make_certificate(self.folder / "etc" / "ssl" / "molecule", *NAMES)
        folder = self.folder / "nginx"
        user = "user root;" if os.geteuid() == 0 else ""
        places = "".join(f"{name}_temp_path {folder}/{name};\n"
                         for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(
            f"{user}\ndaemon off;\nworker_processes 1;\npid {folder}/pid;\nerror_log {folder}/error.log;\n"
            f"events {{}}\nhttp {{\n{places}access_log {folder}/access.log;\n"
            f"include {self.folder}/etc/nginx/sites-enabled/*;\n}}\n")

    def _start_nginx(self):
        self._start_web([need("nginx"), "-e", "stderr", "-c", str(self.folder / "nginx" / "nginx.conf")])

    def prepare_caddy(self):
        need("caddy")
        self.authority = self.folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"

    def _start_caddy(self):
        # A certificate of its own authority instead of the public one's, and no port but one.
        options = ("{\nadmin off\nlocal_certs\nskip_install_trust\nauto_https disable_redirects\n"
                   f"default_bind 127.0.0.1\nhttps_port {self.tls_port}\n}}\n")
        whole = self.folder / "caddy.conf"
        whole.write_text(options + (self.folder / "etc" / "caddy" / "Caddyfile").read_text())
        self._start_web([need("caddy"), "run", "--adapter", "caddyfile", "--config", str(whole)],
                        XDG_DATA_HOME=str(self.folder), XDG_CONFIG_HOME=str(self.folder))
        # It listens before it has made its certificates.
        names = [line.split()[0] for line in whole.read_text().splitlines() if line[:1].isalpha() and "{" in line]
        until(lambda: self.authority.exists() and all(map(self._has_certificate, names)), what="certificates")

    def _has_certificate(self, name):
        context = ssl.create_default_context(cafile=str(self.authority))
        try:
            with socket.create_connection(("127.0.0.1", self.tls_port), DEADLINE) as plain:
                context.wrap_socket(plain, server_hostname=name).close()
        except OSError:
            return False
        return True
