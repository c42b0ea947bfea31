"""kill -9 at a random moment of full load, again and again, on one data folder."""

import random
import time

import checks
from house import House
from ledger import expect_counted, expect_recorded, sqlite_ledger
from load import Load


def run(folder, times):
    with House(folder) as house:
        house.start()
        application = house.furnish()
        ledger = sqlite_ledger(house)
        ledger.new_rows()
        for number in range(1, times + 1):
            promise = f"kill -9 under load, {number} of {times}: it opens, all is recorded and counted"
            with checks.check(promise) as check:
                _kill_once(house, application, ledger, check)


def _kill_once(house, application, ledger, check):
    with Load([house], application, ends_when_lost=True) as load:
        checks.until("tokens under load", 10, lambda: len(load.exchanges) > 32)
        time.sleep(random.uniform(0, 1))
        house.kill()
    ready_s = house.start()
    answers = load.answers()
    checks.expect(set(answers) <= {200, None}, f"answered {dict(answers)}")
    rows = ledger.new_rows()
    expect_recorded(load, rows)
    expect_counted(house, ledger)
    verdict = ledger.query("pragma quick_check")[0][0]
    checks.expect(verdict == "ok", f"quick_check says {verdict}")
    check.note(f"{answers[200]} tokens received, {len(rows)} recorded, ready in {ready_s * 1000:.0f} ms")
