"""PostgreSQL goes away under load and comes back: stopped and started, killed in the middle of a batch, and hanging."""

import time

import checks
import load as clients
from house import House
from ledger import expect_counted, expect_nothing_issued_between, expect_only, expect_recorded
from load import Load
from postgres import Postgres

AWAY_S = 8
KILLS = 3
KILLED_FOR_S = 1
RECOVERY_S = 10
# Five seconds, six for a commit that hangs; the rest is for a machine that is busy.
LONGEST_ANSWER_S = 7


def run(folder):
    with Postgres() as postgres, House(folder, postgres.add_database("lost")) as house:
        house.start()
        application = house.furnish()
        ledger = postgres.ledger("lost")
        ledger.new_rows()
        with checks.check(f"PostgreSQL stopped for {AWAY_S} s: 503 with Retry-After, then tokens again") as check:
            load = _stopped(house, application, postgres, check)
        with checks.check("PostgreSQL stopped: every token that was received is recorded and counted"):
            expect_recorded(load, ledger.new_rows())
            expect_counted(house, ledger)
        with checks.check("PostgreSQL stopped: afterwards a change is seen within a second, as before") as check:
            added = house.add_application("After the stop")
            began = time.monotonic()
            checks.until("a token for the new application", 1, lambda: clients.token(house, added) == 200)
            check.note(f"{(time.monotonic() - began) * 1000:.0f} ms")
            ledger.new_rows()
        for number in range(1, KILLS + 1):
            promise = f"PostgreSQL killed in a batch, {number} of {KILLS}: all is recorded, it recovers"
            with checks.check(promise) as check:
                load = _killed(house, application, postgres, check)
                expect_recorded(load, ledger.new_rows())
                expect_counted(house, ledger)
        with checks.check("PostgreSQL gone: the server says that it is not ready, and lives"):
            postgres.stop()
            house.expect_unready()
            postgres.start()
            checks.until("the server to be ready", RECOVERY_S, lambda: house.status("/readyz") == 200)
        with checks.check("PostgreSQL begins after the server: 503 meanwhile, then tokens, without a restart") as check:
            _late(house, application, postgres, check)
        with checks.check("PostgreSQL hangs: 503 and not ready, then tokens again") as check:
            _hanging(house, application, postgres, check)


def _stopped(house, application, postgres, check):
    with Load([house], application) as load:
        checks.until("tokens under load", 10, lambda: len(load.exchanges) > 32)
        postgres.stop()
        stopped_at = time.monotonic()
        time.sleep(AWAY_S)
        starting_at = time.monotonic()
        postgres.start()
        recovered_s = load.wait_for_token_sent_after(time.monotonic(), RECOVERY_S)
        time.sleep(0.5)
    checks.expect(house.is_running(), "the server ended")
    expect_only(load, {200, 503})
    expect_nothing_issued_between(load, stopped_at, starting_at)
    meanwhile = [exchange for exchange in load.exchanges
                 if exchange.status == 503 and stopped_at < exchange.ended_at < starting_at]
    checks.expect(meanwhile, "nobody was answered 503 while it was away")
    slowest = max(exchange.took_s for exchange in load.exchanges)
    checks.expect(slowest < LONGEST_ANSWER_S, f"an answer took {slowest:.1f} s")
    check.note(f"{load.answers()[503]} × 503, slowest {slowest:.1f} s, a token {recovered_s * 1000:.0f} ms after")
    return load


def _late(house, application, postgres, check):
    """After a power cut both begin at once, and a service manager gives up on what ends five times in ten seconds."""
    house.ask_to_end()
    house.ended(RECOVERY_S)
    postgres.stop()
    house.start(waits=False)
    checks.until("the server to say that it waits", RECOVERY_S, lambda: house.status("/healthz") == 200)
    house.expect_unready()
    answered = clients.token(house, application)
    checks.expect(answered == 503, f"a request for a token was answered {answered}")
    began = time.monotonic()
    postgres.start()
    checks.until("a token", RECOVERY_S, lambda: clients.token(house, application) == 200)
    check.note(f"a token {(time.monotonic() - began) * 1000:.0f} ms after PostgreSQL was started")
    # Then it ends as ever, also while it waits.
    house.ask_to_end()
    house.ended(RECOVERY_S)
    postgres.stop()
    house.start(waits=False)
    checks.until("the server to say that it waits", RECOVERY_S, lambda: house.status("/healthz") == 200)
    house.ask_to_end()
    code = house.ended(RECOVERY_S)
    checks.expect(code == 0, f"it ended with {code} while it waited")
    postgres.start()
    house.start()


def _hanging(house, application, postgres, check):
    with Load([house], application) as load:
        checks.until("tokens under load", 10, lambda: len(load.exchanges) > 32)
        postgres.pause()
        try:
            paused_at = time.monotonic()
            house.expect_unready()
            load.wait_for("the first 503", LONGEST_ANSWER_S, lambda exchange: exchange.status == 503)
            house.expect_unready()
            time.sleep(max(0, paused_at + AWAY_S - time.monotonic()))
        finally:
            postgres.resume()
        recovered_s = load.wait_for_token_sent_after(time.monotonic(), RECOVERY_S)
        checks.until("the server to be ready", RECOVERY_S, lambda: house.status("/readyz") == 200)
    expect_only(load, {200, 503})
    slowest = max(exchange.took_s for exchange in load.exchanges)
    checks.expect(slowest < LONGEST_ANSWER_S, f"an answer took {slowest:.1f} s")
    check.note(f"{load.answers()[503]} × 503, slowest {slowest:.1f} s, a token {recovered_s * 1000:.0f} ms after")


def _killed(house, application, postgres, check):
    with Load([house], application) as load:
        checks.until("tokens under load", 10, lambda: len(load.exchanges) > 100)
        time.sleep(0.5)
        postgres.kill()
        time.sleep(KILLED_FOR_S)
        postgres.start()
        recovered_s = load.wait_for_token_sent_after(time.monotonic(), RECOVERY_S)
        time.sleep(0.5)
    checks.expect(house.is_running(), "the server ended")
    expect_only(load, {200, 503})
    answers = load.answers()
    check.note(f"{answers[200]} tokens, {answers[503]} × 503, a token {recovered_s * 1000:.0f} ms after")
    return load
