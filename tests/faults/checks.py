"""Checks, one line each, the totals, and the secrets that no log may contain."""

import os
import time
import traceback
from contextlib import contextmanager

_totals = {"passed": 0, "failed": 0, "skipped": 0}
_secrets = set()


class Check:
    """One check while it runs: `note` adds what was seen to its line."""

    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


@contextmanager
def check(name):
    """Runs one promise: prints `ok` or `FAIL` with the reason, and counts. A failure does not end the run."""
    began, running = time.monotonic(), Check()
    try:
        yield running
    except Exception as error:
        _totals["failed"] += 1
        where = traceback.extract_tb(error.__traceback__)[-1]
        # An assertion explains itself; anything else is a surprise, and needs its place.
        is_explained = isinstance(error, AssertionError) and str(error)
        place = "" if is_explained else f" ({type(error).__name__} at {where.filename}:{where.lineno})"
        _print("FAIL", name, began, running, f": {redacted(str(error))}{place}")
    else:
        _totals["passed"] += 1
        _print("ok  ", name, began, running, "")


def skip(name, reason):
    """Says that something was not run here, and counts it."""
    _totals["skipped"] += 1
    print(f"skip  {name}: {reason}", flush=True)


def expect(condition, text):
    """Fails the check that runs now unless the condition holds."""
    if not condition:
        raise AssertionError(text)


def until(what, within_s, condition):
    """Asks again and again until `condition` holds, and answers what it answered; an error of its own ends the wait."""
    deadline = time.monotonic() + within_s
    while not (found := condition()):
        expect(time.monotonic() < deadline, f"waited {within_s} s in vain for {what}")
        time.sleep(0.02)
    return found


def secret(value):
    """Remembers a secret, so that it is masked here and looked for in every log by `scripts/test`."""
    if value not in _secrets:
        _secrets.add(value)
        if file := os.environ.get("TOKENHOUSE_TEST_SECRETS"):
            with open(file, "a", encoding="utf-8") as secrets:
                secrets.write(f"{value}\n")
    return value


def redacted(text):
    for value in _secrets:
        text = text.replace(value, "[secret]")
    return text


def failed():
    """How many checks failed so far."""
    return _totals["failed"]


def totals():
    """Prints the totals, alone on the last line, and answers the exit code."""
    skipped = f", {_totals['skipped']} skipped" if _totals["skipped"] else ""
    print(f"{_totals['passed']} passed, {_totals['failed']} failed{skipped}", flush=True)
    return 0 if _totals["passed"] and not _totals["failed"] else 1


def _print(word, name, began, running, reason):
    notes = f" [{', '.join(running.notes)}]" if running.notes else ""
    print(f"{word}  {name}{notes} ({time.monotonic() - began:.1f} s){reason}", flush=True)
