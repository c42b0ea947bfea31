"""Another process holds SQLite's write lock for longer than the house waits."""

import contextlib
import sqlite3
import time

import checks
import load as clients
from house import House
from ledger import expect_counted, expect_nothing_issued_between, expect_only, expect_recorded, sqlite_ledger
from load import Load

HELD_S = 8
# Everybody is answered after five seconds; the rest is for a machine that is busy.
LONGEST_ANSWER_S = 6


def run(folder):
    with House(folder) as house:
        house.start()
        application = house.furnish()
        ledger = sqlite_ledger(house)
        ledger.new_rows()
        with checks.check(f"database locked for {HELD_S} s: 503 with Retry-After, then tokens again") as check:
            with Load([house], application) as load:
                locked_at, released_at = _lock(house, load)
                recovered_s = load.wait_for_token_sent_after(released_at, 5)
                checks.expect(house.status("/readyz") == 200, "it does not say that it is ready again")
            checks.expect(house.is_running(), "the server ended")
            expect_only(load, {200, 503})
            expect_nothing_issued_between(load, locked_at, released_at)
            refused = [exchange for exchange in load.exchanges if exchange.status == 503]
            checks.expect(refused, "nobody was answered 503")
            slowest = max(exchange.took_s for exchange in load.exchanges)
            checks.expect(slowest < LONGEST_ANSWER_S, f"an answer took {slowest:.1f} s")
            check.note(f"{len(refused)} × 503, slowest {slowest:.1f} s, a token {recovered_s * 1000:.0f} ms after")
        with checks.check("database locked: without a request it finds out by itself that it can write again") as check:
            with _locked(house):
                checks.expect(clients.token(house, application) == 503, "a token was given out")
                house.expect_unready()
            began = time.monotonic()
            checks.until("the server to be ready", 5, lambda: house.status("/readyz") == 200)
            check.note(f"{(time.monotonic() - began) * 1000:.0f} ms")
        with checks.check("database locked: every token that was received is recorded and counted"):
            expect_recorded(load, ledger.new_rows())
            expect_counted(house, ledger)


def _lock(house, load):
    """Holds the lock under load: from and to which moment."""
    checks.until("tokens under load", 10, lambda: len(load.exchanges) > 32)
    with _locked(house):
        locked_at = time.monotonic()
        time.sleep(1)
        jwks = house.status("/.well-known/jwks.json")
        checks.expect(jwks == 200, f"the keys were answered {jwks} while the database was locked")
        load.wait_for("the first 503", HELD_S, lambda exchange: exchange.status == 503)
        house.expect_unready()
        time.sleep(max(0, locked_at + HELD_S - time.monotonic()))
        released_at = time.monotonic()
    return locked_at, released_at


@contextlib.contextmanager
def _locked(house):
    """Holds SQLite's write lock while the block runs."""
    connection = sqlite3.connect(house.sqlite, timeout=20, isolation_level=None)
    try:
        connection.execute("begin immediate")
        yield
        connection.execute("rollback")
    finally:
        connection.close()
