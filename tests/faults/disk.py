"""No space left: on a small file system where one can be mounted, and under a limit on the size of files."""

import contextlib
import resource
import signal
import subprocess
import time

import checks
from house import House
from ledger import expect_counted, expect_only, expect_recorded, sqlite_ledger
from load import Load

SIZE_MIB = 64
ROOM_MIB = 2
FULL_FOR_S = 2


def run(folder):
    mounted = folder / "full"
    mounted.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "tokenhouse-faults", str(mounted)],
                          capture_output=True, text=True)
    if done.returncode == 0:
        try:
            with House(mounted) as house:
                _fill("file system full", house, _full_file_system(mounted))
        finally:
            subprocess.run(["umount", "--lazy", str(mounted)], check=False)
    else:
        checks.skip("a full file system", f"no tmpfs can be mounted here ({done.stderr.strip()})")
    with House(folder / "limited") as house:
        # A log of its own: the limit is for every file of the process.
        house.log = house.log.with_name("faults-limited-server.log")
        house.log.write_bytes(b"")
        _fill("file size limited", house, _limited_files(house))


def _fill(name, house, full):
    # A write past the limit is an error then, and no signal.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    house.start(restore_signals=False)
    application = house.furnish()
    ledger = sqlite_ledger(house)
    ledger.new_rows()
    with checks.check(f"{name}: 503 with Retry-After, then tokens again") as check:
        with Load([house], application) as load:
            checks.until("tokens under load", 10, lambda: len(load.exchanges) > 32)
            with full:
                load.wait_for("503 for want of space", 30, lambda exchange: exchange.status == 503)
                # Between two batches that do not fit a smaller one may.
                checks.until("it to say that it is not ready", FULL_FOR_S, lambda: house.status("/readyz") == 503)
                time.sleep(FULL_FOR_S)
                jwks = house.status("/.well-known/jwks.json")
                checks.expect(jwks == 200, f"the keys were answered {jwks} for want of space")
            recovered_s = load.wait_for_token_sent_after(time.monotonic(), 5)
            time.sleep(0.5)
        checks.expect(house.is_running(), "the server ended")
        expect_only(load, {200, 503})
        check.note(f"{load.answers()[503]} × 503, a token {recovered_s * 1000:.0f} ms after")
    with checks.check(f"{name}: every token that was received is recorded and counted"):
        expect_recorded(load, ledger.new_rows())
        expect_counted(house, ledger)
        verdict = ledger.query("pragma quick_check")[0][0]
        checks.expect(verdict == "ok", f"quick_check says {verdict}")
    with checks.check(f"{name}: a start afterwards finds all of it"):
        house.kill()
        house.start()
        expect_counted(house, ledger)


@contextlib.contextmanager
def _full_file_system(mounted):
    """Leaves only a little room while the block runs."""
    ballast = mounted / "ballast"
    df = subprocess.run(["df", "--output=avail", "-k", str(mounted)], capture_output=True, text=True, check=True)
    free_kib = int(df.stdout.split()[-1])
    try:
        # The house may take the last room first.
        with open(ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
            for _ in range(free_kib - ROOM_MIB * 1024):
                file.write(bytes(1024))
        yield
    finally:
        ballast.unlink()


@contextlib.contextmanager
def _limited_files(house):
    """Lets no file of the server grow past a little more than its write-ahead log has, while the block runs."""
    grown = house.sqlite.with_name("tokenhouse.db-wal").stat().st_size
    resource.prlimit(house.process.pid, resource.RLIMIT_FSIZE, (grown + ROOM_MIB * 1024 * 1024, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(house.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
