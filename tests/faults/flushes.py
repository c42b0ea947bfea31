"""strace watches: each token of a hundred is flushed to the disk before its answer is written."""

import os
import re
import shutil
import subprocess

import checks
from house import House
from load import Connection

TOKENS = 100
CALLS = "trace=fdatasync,fsync,recvfrom,read,sendto,sendmsg,write,writev"


def run(folder):
    _need_strace()
    with House(folder) as house:
        trace = folder / "trace"
        # -D: strace is not the server's parent, so that the process that we start is the server itself.
        house.start(under=["strace", "-D", "-f", "-y", "-s", "256", "-o", str(trace), "-e", CALLS])
        application = house.furnish()
        connection = Connection(house, application)
        ids = [f"flush-{number:03}" for number in range(TOKENS)]
        with checks.check(f"{TOKENS} tokens, one after the other, under strace"):
            statuses = {connection.ask(id)[0].status for id in ids}
            checks.expect(statuses == {200}, f"answered {statuses}")
        connection.close()
        house.ask_to_end()
        house.ended(20)
        checks.until("the end of the trace", 10, lambda: "+++ exited with" in trace.read_text().splitlines()[-1])
        lines = trace.read_text().splitlines()
        with checks.check("each is flushed (fdatasync) after it is asked for, before its answer is written") as check:
            flushes = _flushes(lines)
            used = {_flush_of(id, lines, flushes) for id in ids}
            checks.expect(len(used) == TOKENS, f"{TOKENS} tokens took {len(used)} flushes")
            check.note(f"{len(flushes)} flushes in all")


def _flushes(lines):
    """Where each successful flush of the write-ahead log began and returned, as numbers of lines."""
    begun, flushes = {}, []
    for number, line in enumerate(lines):
        thread = line.split(maxsplit=1)[0]
        if re.search(r" (fdatasync|fsync)\(\d+<.*\.db-wal>", line):
            begun[thread] = number
        elif "fdatasync resumed" not in line and "fsync resumed" not in line:
            continue
        if line.endswith(" = 0") and thread in begun:
            flushes.append((begun.pop(thread), number))
    return flushes


def _flush_of(id, lines, flushes):
    """The flush that lies between a request and its answer."""
    def first(text):
        found = next((number for number, line in enumerate(lines) if text in line), None)
        checks.expect(found is not None, f"the trace does not show {text}")
        return found

    asked, answered = first(f"X-Request-Id: {id}"), first(f"x-request-id: {id}")
    found = next((flush for flush in flushes if asked < flush[0] and flush[1] < answered), None)
    checks.expect(found, f"no flush lies between request {id} (line {asked}) and its answer (line {answered})")
    return found


def _need_strace():
    if not shutil.which("strace") and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update"], capture_output=True)
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", "strace"], capture_output=True)
    checks.expect(shutil.which("strace"), "strace is missing: apt-get install strace")
