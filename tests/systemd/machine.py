"""A machine in namespaces of its own, with a real systemd, in which the house is installed as on a server."""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import checks

HERE = Path(__file__).resolve().parent
NAMESPACES = ("--pid", "--mount", "--ipc", "--uts", "--net", "--cgroup")
BOOT_S = 60
COMMAND_S = 120
CLONE_NEWNET = 0x40000000


class Refused(Exception):
    """Why no such machine can be had here."""


class Machine:
    """The machine while the `with` block runs; `host` is a folder that it sees at /srv/host."""

    def __init__(self, host, log):
        self.host = host
        self.log = log
        self.folder = Path(tempfile.mkdtemp(prefix="tokenhouse-systemd-"))
        self.branch = None
        self.unshared = None
        self.first = None

    def __enter__(self):
        try:
            self._refuse_unless_possible()
            self.branch = _branch()
            self._boot()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.first:
            # The first process of a PID namespace takes all others with it.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.first, signal.SIGKILL)
        if self.unshared:
            self.unshared.wait()
        if self.branch:
            _prune(self.branch)
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *arguments, **options):
        """Runs a program in the machine: its end, its output as texts."""
        options = {"capture_output": True, "text": True, "timeout": COMMAND_S, "stdin": subprocess.DEVNULL, **options}
        if "input" in options:
            del options["stdin"]
        return subprocess.run([*self._entry(), *arguments], **options)

    def expect(self, *arguments, **options):
        """The same, where it must end well: what it printed."""
        done = self.run(*arguments, **options)
        shown = " ".join(arguments)
        checks.expect(done.returncode == 0, f"{shown} ended with {done.returncode}: {(done.stderr or done.stdout)[-800:]}")
        return done.stdout

    def shell(self, script, folder="/"):
        """Runs lines of a shell as a person would type them, and stops at the first that fails."""
        return self.expect("bash", "-euo", "pipefail", "-c", f"cd {folder}\n{script}")

    def path(self, path):
        """A file of the machine, as seen from here."""
        return Path(f"/proc/{self.first}/root{path}")

    def enter_network(self):
        """From now on this process, too, is at the other end of the machine's loopback, and of nothing else."""
        network = os.open(f"/proc/{self.first}/ns/net", os.O_RDONLY)
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(network, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        finally:
            os.close(network)

    def _entry(self):
        return ("nsenter", f"--target={self.first}", *NAMESPACES, "--")

    def _unshare(self, *more):
        return ["unshare", "--fork", "--kill-child", *NAMESPACES, str(HERE / "boot"), str(self.folder), str(self.host), *more]

    def _refuse_unless_possible(self):
        if os.geteuid() != 0:
            raise Refused("namespaces and mounts need root")
        for program in ("unshare", "nsenter", "ip", "systemctl", "/lib/systemd/systemd"):
            if not shutil.which(program):
                raise Refused(f"there is no {program} (apt-get install systemd util-linux iproute2)")
        tried = subprocess.run(self._unshare("--try"), capture_output=True, text=True)
        if tried.returncode != 0:
            first, _, _ = tried.stderr.strip().partition("\n")
            raise Refused(f"no namespaces, or no mounts in them: {first}")

    def _boot(self):
        # The shell is moved into the branch before it becomes the one that unshares, so that the branch is the root of
        # the machine's control groups.
        script = 'echo $$ >"$0/cgroup.procs"; exec "$@"'
        with open(self.log, "ab") as log:
            self.unshared = subprocess.Popen(
                ["sh", "-c", script, str(self.branch), *self._unshare()],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )
        children = Path(f"/proc/{self.unshared.pid}/task/{self.unshared.pid}/children")
        deadline = time.monotonic() + BOOT_S
        while True:
            checks.expect(self.unshared.poll() is None, f"the machine ended at once: {self.log.read_text()[-800:]}")
            checks.expect(time.monotonic() < deadline, f"systemd was not up after {BOOT_S} s: {self.log.read_text()[-800:]}")
            if found := children.read_text().split():
                self.first = int(found[0])
                if self.run("systemctl", "is-active", "basic.target").stdout.strip() == "active":
                    return
            time.sleep(0.1)


def _branch():
    """A new branch of the host's control groups, for one machine."""
    top = Path("/sys/fs/cgroup")
    if not (top / "cgroup.controllers").exists():
        top = top / "systemd"
    branch = top / f"tokenhouse-tests-{os.getpid()}"
    try:
        branch.mkdir()
    except OSError as error:
        raise Refused(f"no control group can be made: {error}") from None
    return branch


def _prune(branch):
    """Removes a branch; its last processes may take a moment to be gone."""
    for _ in range(100):
        for folder, _, _ in os.walk(branch, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)
        if not branch.exists():
            return
        time.sleep(0.05)
