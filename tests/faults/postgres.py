"""A PostgreSQL server of our own, to be stopped and killed: on loopback, in a folder of its own, durable."""

import contextlib
import csv
import io
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import checks
import house
from ledger import Ledger

USER = "tokenhouse"
START_S = 30


class Postgres:
    """The server; it runs from `with` to the end of the block unless it is stopped or killed in between."""

    def __init__(self):
        self.programs = _programs()
        self.user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        self.process = None
        self.port = house.free_port()
        self.password = checks.secret(secrets.token_hex(16))
        self.folder = Path(tempfile.mkdtemp(prefix="tokenhouse-faults-postgres-"))
        self.data = self.folder / "data"

    def __enter__(self):
        if self.user:
            shutil.chown(self.folder, "postgres", "postgres")
        self._run("sh", "-c", f"umask 077; cat >'{self.folder}/password'", text=self.password)
        self._run(self._program("initdb"), "-D", str(self.data), "-U", USER, "--auth=scram-sha-256", "--encoding=UTF8",
                  f"--pwfile={self.folder}/password", "--no-locale")
        self.start()
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        """Starts it, as a child of ours: nobody else may be there to bury the postmaster that is killed."""
        settings = ["listen_addresses=127.0.0.1", f"port={self.port}", "unix_socket_directories=", "fsync=on"]
        options = [word for setting in settings for word in ("-c", setting)]
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                [self._program("postgres"), "-D", str(self.data), *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True, **self.user,
            )
        checks.until("PostgreSQL to be ready", START_S, self._is_ready)

    def stop(self):
        """Ends it as its owner would: every connection is cut, all is written."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=START_S)

    def kill(self):
        """kill -9 of the postmaster, then of each of its processes: what a crash of the machine leaves of it."""
        children = self._signal(signal.SIGKILL)
        self.process.wait()
        are_gone = lambda: all(_status(pid, 0) in (None, "Z") for pid in children)
        checks.until("PostgreSQL's processes to be gone", 10, are_gone)

    def pause(self):
        """Stops each of its processes where it is: connections stand, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self):
        self._signal(signal.SIGCONT)

    def url(self, database):
        return f"postgres://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def add_database(self, name):
        self.query(f"create database {name}", "postgres")
        return self.url(name)

    def query(self, sql, database):
        """The rows of an SQL text, each column a text."""
        done = subprocess.run(
            [self._program("psql"), "-X", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database,
             "-v", "ON_ERROR_STOP=1", "--csv", "-t", "-c", sql],
            env={**os.environ, "PGPASSWORD": self.password}, capture_output=True, text=True,
        )
        checks.expect(done.returncode == 0, f"psql: {done.stderr.strip()}")
        return list(csv.reader(io.StringIO(done.stdout)))

    def ledger(self, database):
        return Ledger(lambda sql: self.query(sql, database))

    def _signal(self, number):
        """Sends a signal to the postmaster, then to each of its processes, which it answers."""
        children = [pid for pid in _processes() if _status(pid, 1) == str(self.process.pid)]
        self.process.send_signal(number)
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        return children

    def _program(self, name):
        return str(self.programs / name)

    def _is_ready(self):
        log = self.folder / "server.log"
        checks.expect(self.process.poll() is None, f"PostgreSQL ended: {log.read_text()[-500:]}")
        asked = [self._program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(asked).returncode == 0

    def _run(self, *arguments, text=None):
        """Runs a program as the user that the server runs as: it refuses to be root."""
        done = subprocess.run(arguments, cwd="/", input=text, capture_output=True, text=True, **self.user)
        checks.expect(done.returncode == 0, f"{Path(arguments[0]).name}: {done.stderr[-500:]}")


def _programs():
    """The folder of the newest server's programs: Debian keeps them out of PATH."""
    newest_first = lambda folder: -int(folder.parent.name)
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=newest_first)
    if found := shutil.which("initdb"):
        folders.append(Path(found).resolve().parent)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "psql").exists():
            return folder
    raise AssertionError("PostgreSQL's server is missing: apt-get install postgresql")


def _processes():
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _status(pid, field):
    """A field of /proc/PID/stat after the name, which may hold anything; None where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[field]
    except (FileNotFoundError, ProcessLookupError):
        return None
