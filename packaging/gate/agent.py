"""The steps of a person who puts an agent online with the packages alone."""

import http.server
import json
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import root as roots

# A timer each two seconds, polls, heartbeats and what they wait for; a loop that spins has thousands.
MAX_IDLE_KB, MAX_WAKEUPS = 16 * 1024, 3
USER = "ann"
HOME = f"/home/{USER}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Answers(http.server.BaseHTTPRequestHandler):
    """Enough of a platform to be reached."""

    def do_GET(self):
        self.server.paths.append(self.path)
        body = b'{"status":"ok"}' if self.path == "/health" else b'{"error":"not found"}'
        self.send_response(200 if self.path == "/health" else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


@contextmanager
def https_server(certificate, key):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.paths = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def reach_over_https(system):
    """libcurl is loaded when it is needed: no dependency that the linker sees proves it is there."""
    folder = system.path / "tmp"
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    with https_server(certificate, key) as server:
        environment = {"PLATFORM_URL": f"https://127.0.0.1:{server.server_port}",
                       "WORKSPACE_ID": "11111111-2222-4333-8444-555555555555",
                       "MOLECULE_WORKSPACE_TOKEN": "a-token-of-the-gate-0123456789",
                       "CONFIGS_DIR": "/tmp/state", "SSL_CERT_FILE": "/tmp/certificate.pem"}
        shown = system.run("molecule-mcp", "doctor", "--json", check=False, env=environment)
        assert server.paths, shown.stdout + shown.stderr


class Person:
    """Uses a booted system as its owner and as the person of its agent."""

    def __init__(self, booted):
        self.booted = booted
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.admin_token = None
        self.workspace = None

    def request(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method, headers={
            "Authorization": f"Bearer {self.admin_token}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)

    def start_platform(self):
        # The network is this machine's: another port than the default.
        folder = self.booted.system.path / "etc/systemd/system/molecule-platform.service.d"
        folder.mkdir(parents=True)
        (folder / "gate.conf").write_text(
            "[Service]\nExecStart=\nExecStart=/usr/bin/molecule-platform "
            f"--data /var/lib/molecule-platform --listen 127.0.0.1:{self.port}\n", encoding="utf-8")
        self.booted.run("systemctl", "daemon-reload")
        self.booted.run("systemctl", "start", "molecule-platform")
        state = self.booted.run("systemctl", "is-active", "molecule-platform").stdout.strip()
        assert state == "active", state
        token = self.booted.system.path / "var/lib/molecule-platform/admin_token"
        self.admin_token = token.read_text(encoding="utf-8").strip()
        assert self.request("GET", "/health") == {"status": "ok"}

    def as_user(self, *command, **keywords):
        return self.booted.run(*command, user=USER, **keywords)

    def write(self, name, text, mode=0o600):
        path = self.booted.system.path / HOME.lstrip("/") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        self.booted.run("chown", "-R", f"{USER}:{USER}", HOME)

    def set_up(self):
        self.booted.run("useradd", "--create-home", "--shell", "/bin/bash", USER)
        self.booted.run("loginctl", "enable-linger", USER)
        roots.wait_for(lambda: self.booted.run("systemctl", "is-active",
                                               f"user@{self.number()}", check=False
                                               ).stdout.strip() == "active", "ann's manager runs")
        self.write("admin_token", self.admin_token + "\n")
        shown = self.as_user("molecule-mcp", "setup", "--url", self.url, "--create",
                             "gate", "--admin-token-file", f"{HOME}/admin_token")
        assert self.admin_token not in shown.stdout + shown.stderr
        (self.workspace,) = [row["id"] for row in self.request("GET", "/workspaces")]

    def number(self):
        return self.booted.run("id", "-u", USER).stdout.strip()

    def start_service(self):
        self.write(".config/molecule/daemon.toml",
                   '[handler]\nkind = "command"\n'
                   'argv = ["sh", "-c", "printf \'the answer to: \'; cat"]\nformat = "text"\n')
        self.as_user("molecule-mcp", "service", "install")

        def is_online():
            state = self.as_user("systemctl", "--user", "is-active", "molecule-mcp", check=False)
            status = self.request("GET", f"/workspaces/{self.workspace}")["status"]
            return state.stdout.strip() == "active" and status == "online"

        roots.wait_for(is_online, "the service is ready and the workspace online")

    def be_idle(self, seconds=60):
        """What the daemon needs while nothing comes."""
        process = self.as_user("systemctl", "--user", "show", "--property=MainPID", "--value",
                               "molecule-mcp").stdout.strip()

        def number(name):
            text = self.booted.run("cat", f"/proc/{process}/status").stdout
            return int(re.search(rf"^{name}:\s+(\d+)", text, re.M)[1])

        before = number("voluntary_ctxt_switches")
        time.sleep(seconds)
        wakeups, resident = number("voluntary_ctxt_switches") - before, number("VmRSS")
        assert resident <= MAX_IDLE_KB and wakeups <= MAX_WAKEUPS * seconds, (resident, wakeups)
        return f"{resident / 1024:.1f} MiB resident, {wakeups} wake-ups in {seconds} s"

    def use_service(self):
        """The commands of docs/service.md for the agent's service."""
        assert self.as_user("molecule-mcp", "service", "status").stdout.strip() == "active"
        self.as_user("systemctl", "--user", "reload", "molecule-mcp")
        for action in ("stop", "start", "restart"):
            self.as_user("molecule-mcp", "service", action)
        assert self.as_user("systemctl", "--user", "is-active", "molecule-mcp").stdout.strip() == "active"
        logged = self.as_user("molecule-mcp", "logs").stdout
        assert "Started" in logged and self.admin_token not in logged, f"logs: {logged}"

    def use_platform_service(self):
        """The commands of docs/service.md for the platform's service."""
        assert "login" in self.booted.run("journalctl", "-u", "molecule-platform").stdout
        listen = f"127.0.0.1:{self.port}"
        self.booted.run("molecule-platform", "health", "--listen", listen)
        system = self.booted.system.path
        (system / "etc/molecule-platform").mkdir(mode=0o700)
        own = "an-admin-token-of-the-gate-0123456789"
        token = system / "etc/molecule-platform/admin_token"
        token.write_text(own + "\n", encoding="utf-8")
        token.chmod(0o600)
        (system / "etc/systemd/system/molecule-platform.service.d/token.conf").write_text(
            "[Service]\nLoadCredential=ADMIN_TOKEN:/etc/molecule-platform/admin_token\n",
            encoding="utf-8")
        # The first connection to the socket starts it.
        folder = system / "etc/systemd/system/molecule-platform.socket.d"
        folder.mkdir()
        (folder / "gate.conf").write_text(f"[Socket]\nListenStream=\nListenStream={listen}\n",
                                          encoding="utf-8")
        self.booted.run("systemctl", "daemon-reload")
        self.booted.run("systemctl", "stop", "molecule-platform")
        self.booted.run("systemctl", "start", "molecule-platform.socket")
        state = self.booted.run("systemctl", "is-active", "molecule-platform", check=False).stdout
        assert state.strip() == "inactive", state
        self.admin_token = own
        assert [row["id"] for row in self.request("GET", "/workspaces")] == [self.workspace]

    def use_postgres(self):
        """The platform's service with its store in PostgreSQL, over a Unix socket, as in
        docs/deploy.md; then without it again."""
        store = "MOLECULE_STORE=postgres:///molecule"
        # The packages are installed without what they recommend.
        alone = self.booted.run("env", store, "molecule-platform", "--data", "/tmp/no-libpq",
                                "--listen", f"127.0.0.1:{free_port()}", check=False)
        assert alone.returncode != 0 and "libpq5" in alone.stderr, alone
        system = self.booted.system.path
        # The network is this machine's.
        settings = system / "etc/postgresql-common/createcluster.conf"
        settings.parent.mkdir()
        settings.write_text("listen_addresses = ''\n", encoding="utf-8")
        self.booted.run("apt-get", "install", "-y", "--no-install-recommends", "postgresql")
        self.booted.run("runuser", "-u", "postgres", "--", "createuser", "molecule-platform")
        self.booted.run("runuser", "-u", "postgres", "--", "createdb", "--owner=molecule-platform",
                        "molecule")
        defaults = system / "etc/default/molecule-platform"
        defaults.write_text(store + "\n", encoding="utf-8")
        self.booted.run("systemctl", "restart", "molecule-platform")
        assert self.request("GET", "/workspaces") == []
        tables = self.booted.run("runuser", "-u", "postgres", "--", "psql", "-d", "molecule", "-c",
                                 r"\dt").stdout
        assert "workspaces" in tables, tables
        defaults.unlink()
        self.booted.run("systemctl", "restart", "molecule-platform")
        assert [row["id"] for row in self.request("GET", "/workspaces")] == [self.workspace]
        # Else turning the system off takes most of a minute.
        self.booted.run("systemctl", "stop", "postgresql")

    def use_own_platform(self):
        """molecule-platform as a service of one user."""
        port = free_port()
        self.write(".config/systemd/user/molecule-platform.service.d/gate.conf",
                   "[Service]\nExecStart=\nExecStart=/usr/bin/molecule-platform --listen "
                   f"127.0.0.1:{port}\n")
        self.as_user("systemctl", "--user", "daemon-reload")
        self.as_user("systemctl", "--user", "start", "molecule-platform")
        self.as_user("molecule-platform", "health", "--listen", f"127.0.0.1:{port}")
        self.as_user("test", "-s", ".local/share/molecule-platform/admin_token")
        self.as_user("systemctl", "--user", "stop", "molecule-platform")

    def ask(self, text, expect):
        self.request("POST", f"/workspaces/{self.workspace}/a2a", {
            "method": "message/send",
            "params": {"message": {"role": "user", "messageId": f"gate-{time.time_ns()}",
                                   "parts": [{"kind": "text", "text": text}]}}})

        def answers():
            page = self.request("GET", f"/workspaces/{self.workspace}/chat-history?limit=100")
            return [row for row in page["messages"]
                    if row["role"] == "agent" and row["content"].strip() == expect]

        found = roots.wait_for(answers, f"the answer {expect!r}")
        assert len(found) == 1, found

    def upgrade(self, packages, newer):
        inbox = self.as_user("find", HOME, "-name", "inbox.db").stdout.split()
        assert inbox, "no inbox.db"
        before = self.as_user("stat", "-c", "%i", *inbox).stdout
        # Not /tmp: the booted system has another one mounted there.
        shutil.copy(newer, self.booted.system.path / "opt")
        self.booted.run("apt-get", "install", "-y", f"/opt/{newer.name}")
        self.as_user("molecule-mcp", "service", "restart")
        assert self.as_user("stat", "-c", "%i", *inbox).stdout == before

    def purge(self):
        self.as_user("molecule-mcp", "service", "uninstall")
        self.booted.run("apt-get", "purge", "-y", "molecule-mcp", "molecule-platform")
        left = self.booted.run("find", "/etc", "/usr", "/lib", "-name", "*molecule*",
                               "-not", "-path", "/etc/systemd/system/molecule-platform.service.d*",
                               "-not", "-path", "/etc/systemd/system/molecule-platform.socket.d*",
                           "-not", "-path", "/etc/molecule-platform",
                           "-not", "-name", "molecule-gate").stdout
        assert not left, left
        assert self.booted.run("test", "-d", "/var/lib/molecule-platform", check=False).returncode == 0
        assert self.as_user("find", HOME, "-name", "inbox.db").stdout, "the person's inbox is gone"
