"""A backup under full load, restored elsewhere: what was answered before it began is in its log, and it is a house."""

import shutil
import subprocess
import time

import checks
import house as houses
import load as clients
from house import House
from ledger import expect_only, sqlite_ledger
from load import Load

LOADED_S = 2


def run(folder):
    with House(folder / "first") as house, House(folder / "second", beside=house) as second:
        house.start()
        application = house.furnish()
        copy = folder / "copy.backup"
        with checks.check("a backup under full load: every token that was answered before it began is in its log") as check:
            with Load([house], application) as load:
                time.sleep(LOADED_S)
                began = time.monotonic()
                said = _command(house, "backup", str(copy), "--config", str(house.config))
                took_s = time.monotonic() - began
                time.sleep(0.5)
            checks.expect("The sealing key is not in it" in said, f"it says {said}")
            expect_only(load, {200})
            before = {exchange.id for exchange in load.exchanges if exchange.ended_at < began}
            during = [exchange for exchange in load.exchanges if began < exchange.ended_at < began + took_s]
            checks.expect(during, "no token was issued while the backup ran")
            _command(second, "restore", str(copy), "--data", str(second.data), "--config", str(second.config))
            recorded = {row.request_id for row in sqlite_ledger(second).new_rows()}
            missing = before - recorded
            checks.expect(before and not missing, f"{len(missing)} of {len(before)} are missing, such as {sorted(missing)[:3]}")
            sealed = [path.name for path in second.data.iterdir() if "sealing" in path.name]
            checks.expect(not sealed, f"the restored folder has {sealed}")
            check.note(f"{len(before)} tokens before it, {len(during)} while it ran, for {took_s * 1000:.0f} ms")
        with checks.check("the restored house counts them, issues tokens to the same application, and goes on alone") as check:
            house.kill()
            shutil.rmtree(house.data)
            second.start()
            status = clients.token(second, application, "afterwards")
            checks.expect(status == 200, f"a token was answered {status}")
            ledger = sqlite_ledger(second)
            rows = ledger.new_rows()
            counted = second.usage()
            checks.expect(counted == len(rows), f"usage counts {counted} tokens, the log holds {len(rows)}")
            checks.expect("afterwards" in {row.request_id for row in rows}, "its own token is not in its log")
            check.note(f"{counted} tokens")


def _command(house, *arguments):
    """A command of the house that prints text: what it says."""
    done = subprocess.run([houses.BINARY, *arguments], env=house.environment(), capture_output=True, text=True,
                          timeout=houses.COMMAND_S)
    checks.expect(done.returncode == 0, f"tokenhouse {arguments[0]}: {done.stderr.strip()}")
    return done.stdout
