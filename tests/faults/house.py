"""A `tokenhouse serve` of our own: starting, killing and ending it, and the command line on its data."""

import base64
import json
import os
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path

import checks
import load
from load import AUDIENCE

TOP = Path(__file__).resolve().parents[2]
BINARY = str((TOP / os.environ.get("TOKENHOUSE", "target/release/tokenhouse")).resolve())

START_S = 30
COMMAND_S = 60
# A second, and some for a machine that is busy.
PROBE_S = 1.5


def version():
    checks.expect(os.access(BINARY, os.X_OK), f"there is no {BINARY}: build it with cargo build --release")
    return subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=True).stdout.strip()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class House:
    """One node: a configuration file, a data folder, and the process while it runs.

    A second node on the same database is made with `beside`: it has the first one's sealing key and issuer.
    """

    def __init__(self, folder, database_url="", beside=None):
        self.port = free_port()
        self.authority = beside.authority if beside else f"localhost:{self.port}"
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config = self.folder / "tokenhouse.toml"
        self.data = self.folder / "data"
        self.database_url = database_url
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        self.sealing = beside.sealing if beside else checks.secret(key)
        self.process = None
        text = json.dumps
        self.config.write_text(
            f"[server]\nlisten = {text(f'127.0.0.1:{self.port}')}\nissuer = {text(f'http://{self.authority}/')}\n"
            f"data = {text(str(self.data))}\n",
            encoding="utf-8",
        )
        logs = TOP / ".test/log"
        logs.mkdir(parents=True, exist_ok=True)
        self.log = logs / "faults-server.log"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def sqlite(self):
        return self.data / "tokenhouse.db"

    def start(self, under=(), waits=True, **options):
        """Starts the server, `under` another program if one is named, and waits until it is ready: in how many s."""
        began = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*under, BINARY, "serve", "--config", str(self.config)],
                env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, **options,
            )
        if waits:
            self.wait_until_ready()
        return time.monotonic() - began

    def wait_until_ready(self):
        def ready():
            checks.expect(self.is_running(), f"the server ended with {self.process.returncode}: {self.last_line()}")
            return self.status("/readyz") == 200

        checks.until("the server to be ready", START_S, ready)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def pause(self, seconds):
        """Stops the process where it is and lets it go on, as the host of a virtual machine may do."""
        self.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.process.send_signal(signal.SIGCONT)

    def ask_to_end(self):
        self.process.send_signal(signal.SIGTERM)

    def ended(self, within_s):
        """The exit code, which must come within the time."""
        try:
            return self.process.wait(timeout=within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the server did not end within {within_s} s of SIGTERM") from None

    def status(self, path):
        """The status of a GET on a new connection, or None where nobody answers."""
        return load.get(self.port, self.authority, path)

    def expect_unready(self):
        """It says soon that it is not ready, and that it lives."""
        began = time.monotonic()
        ready, alive = self.status("/readyz"), self.status("/healthz")
        checks.expect((ready, alive) == (503, 200), f"/readyz was answered {ready}, /healthz {alive}")
        took_s = time.monotonic() - began
        checks.expect(took_s < PROBE_S, f"the probes took {took_s:.1f} s")

    def command(self, *arguments):
        """Runs a command on this house's data and answers the JSON that it prints."""
        done = subprocess.run(
            [BINARY, *arguments, "--config", str(self.config), "--json"],
            env=self.environment(), capture_output=True, text=True, timeout=COMMAND_S,
        )
        checks.expect(done.returncode == 0, f"tokenhouse {' '.join(arguments[:2])}: {done.stderr.strip()}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def follow(self, output):
        """Starts `logs tail --follow --json` into a file; the caller ends it."""
        arguments = [BINARY, "logs", "tail", "--follow", "--take", "0", "--config", str(self.config), "--json"]
        return subprocess.Popen(arguments, env=self.environment(), stdin=subprocess.DEVNULL, stdout=output)

    def add_application(self, name="Load"):
        """Registers an application that may use the API: its credentials."""
        application = self.command("apps", "create", name)
        checks.secret(application["client_secret"])
        self.command("grants", "create", "--app", application["client_id"], "--api", AUDIENCE)
        return application

    def furnish(self):
        """Registers an API that signs with ES256, for speed, and an application: its credentials, in force."""
        self.command("apis", "create", AUDIENCE, "--signing-alg", "ES256")
        application = self.add_application()
        checks.until("the first token", 5, lambda: load.token(self, application) == 200)
        return application

    def usage(self):
        """All tokens that `tokenhouse usage` counts."""
        return sum(row["tokens"] for row in self.command("usage"))

    def last_line(self):
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return lines[-1] if lines else ""

    def environment(self):
        """The environment of its processes, the sealing key in it."""
        environment = {**os.environ, "TOKENHOUSE_SEALING__KEY": self.sealing}
        if self.database_url:
            environment["TOKENHOUSE_DATABASE__URL"] = self.database_url
        return environment
