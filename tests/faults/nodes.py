"""Two nodes on one PostgreSQL: born at the same moment, they see each other's changes, and their counts add up."""

import json
import time
from collections import Counter

import checks
import load as clients
from house import House
from ledger import expect_counted, expect_only, expect_recorded
from load import AUDIENCE, Load
from postgres import Postgres

BIRTHS = 5
SEEN_S = 1
LOADED_S = 2
FOLLOWED_S = 4
PAUSES = 8
PAUSE_S = 0.6
# A follower may be behind when the load ends.
CAUGHT_UP_S = 30
# A fold rests up to ten seconds where folding takes long, as it may on a machine that is busy.
COUNTED_S = 15


def run(folder):
    with Postgres() as postgres:
        for number in range(1, BIRTHS + 1):
            with checks.check(f"both started at once on an empty database, {number} of {BIRTHS}: both become ready"):
                url = postgres.add_database(f"birth{number}")
                first, second = _two(folder / f"birth{number}", url)
                with first, second:
                    pass
        url = postgres.add_database("nodes")
        first, second = _two(folder / "nodes", url)
        with first, second:
            application = first.furnish()
            _check_changes(first, second)
            ledger = postgres.ledger("nodes")
            _check_load(first, second, application, ledger)
            _check_followers(folder, first, second, application, ledger)
            _check_lost_node(first, second, application, ledger)


def _two(folder, url):
    """Two nodes, started in the same moment, both ready."""
    first = House(folder / "first", url)
    second = House(folder / "second", url, beside=first)
    try:
        for house in (first, second):
            house.start(waits=False)
        for house in (first, second):
            house.wait_until_ready()
    except BaseException:
        first.__exit__()
        second.__exit__()
        raise
    return first, second


def _check_changes(first, second):
    """The command line is a third process: a change that it makes reaches both nodes within a second."""
    added = first.command("apps", "create", "Newcomer")
    checks.secret(added["client_secret"])
    client = added["client_id"]
    # Both nodes know by now that the application may not use the API, and must forget it.
    with checks.check("a new application is known to both nodes within a second") as check:
        _seen(first, second, added, 403, check)
    grant = first.command("grants", "create", "--app", client, "--api", AUDIENCE)
    with checks.check("a new grant is in force on both nodes within a second") as check:
        _seen(first, second, added, 200, check)
    second.command("grants", "delete", grant["id"], "--force")
    with checks.check("a deleted grant is in force on neither after a second") as check:
        _seen(first, second, added, 403, check)
    second.command("apps", "delete", client, "--force")
    with checks.check("a deleted application gets nothing from either after a second") as check:
        _seen(first, second, added, 401, check)


def _seen(first, second, application, status, check):
    """Both answer with this status within the time, and go on answering so."""
    began = time.monotonic()
    for house in (first, second):
        left_s = began + SEEN_S - time.monotonic()
        checks.until(f"{status} from {'the first' if house is first else 'the second'} node", max(0.01, left_s),
                     lambda: clients.token(house, application) == status)
    check.note(f"{(time.monotonic() - began) * 1000:.0f} ms")
    again = {clients.token(house, application) for house in (first, second) for _ in range(5)}
    checks.expect(again == {status}, f"later they answered {again}")


def _check_load(first, second, application, ledger):
    ledger.new_rows()
    with checks.check("both nodes under load: every token is recorded, and usage is the sum of both") as check:
        with Load([first, second], application) as load:
            time.sleep(LOADED_S)
        rows = ledger.new_rows()
        expect_only(load, {200})
        expect_recorded(load, rows)
        expect_counted(first, ledger)
        expect_counted(second, ledger)
        shares = Counter(row.node for row in rows)
        checks.expect(len(shares) == 2, f"the rows name {len(shares)} nodes")
        check.note(" + ".join(f"{share}" for share in shares.values()))


def _check_followers(folder, first, second, application, ledger):
    """Under full load a follower reads behind the newest row; under a light one it reads where nodes still write.

    A node that pauses with a batch open writes rows, when it goes on, whose ids are older than what was followed.
    """
    for name, load, pauses in (
        ("full load", Load([first, second], application), 0),
        ("light load while one pauses", Load([first, second], application, connections=16, pause_s=0.01), PAUSES),
    ):
        with checks.check(f"a log follower sees every row of both nodes once, under {name}") as check:
            followed = folder / name
            with open(followed, "wb") as output, first.follow(output) as follower:
                try:
                    time.sleep(1)
                    with load:
                        time.sleep(0 if pauses else FOLLOWED_S)
                        for _ in range(pauses):
                            time.sleep(PAUSE_S / 2)
                            second.pause(PAUSE_S)
                    rows = ledger.new_rows()
                    expect_recorded(load, rows)
                    _expect_followed(followed, {row.id for row in rows}, check)
                finally:
                    follower.kill()


def _expect_followed(followed, wanted, check):
    def seen_so_far():
        # What is written of the last row so far may not be a line yet.
        return Counter(json.loads(line)["log_id"] for line in followed.read_bytes().split(b"\n")[:-1])

    began, last = time.monotonic(), max(wanted)
    checks.until("the follower to reach the last row", CAUGHT_UP_S, lambda: last.encode() in followed.read_bytes())
    check.note(f"{len(wanted)} rows, {time.monotonic() - began:.1f} s behind at the end")
    # It reads node by node: the last row of one may be there before the other's are.
    time.sleep(1)
    seen = seen_so_far()
    twice = sum(1 for count in seen.values() if count > 1)
    missed = wanted - set(seen)
    checks.expect(not missed and not twice, f"of {len(wanted)} rows it missed {len(missed)} and saw {twice} twice")


def _check_lost_node(first, second, application, ledger):
    with checks.check("a node killed under load: its last tokens are recorded, and counted by the other") as check:
        with Load([first, second], application) as load:
            time.sleep(1)
            second.kill()
            time.sleep(0.5)
        # Answered by nobody: what the killed node had taken, and who connected to it since was not heard at all.
        expect_only(load, {200, None})
        expect_recorded(load, ledger.new_rows())
        # The database may still have had a batch of the killed node to commit, with ids among those that were read.
        checks.until("the other node to count them", COUNTED_S, lambda: ledger.counted() == ledger.recorded())
        ledger.total = ledger.recorded()
        check.note(f"{ledger.total} tokens in all")
