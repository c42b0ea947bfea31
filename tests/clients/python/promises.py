"""Checks, one line each, and the secrets that no log may contain."""

import os

passed = failed = 0
secrets = set()


def totals():
    """Prints the totals, alone on the last line, and returns the exit code."""
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


def refused(body, kind, **members):
    """The call fails with an error of this class and with these members."""
    try:
        body()
    except kind as error:
        for name, wanted in members.items():
            assert getattr(error, name) == wanted, f"{name} is {getattr(error, name)!r}"
        return
    raise AssertionError("it was not refused")


def check(name, body):
    """Runs one promise and prints ok, or FAIL with the reason, every known secret masked."""
    global passed, failed
    try:
        body()
    except Exception as error:  # whatever a client throws is this check's failure, not the end of the others
        failed += 1
        reason = f"{type(error).__name__}: {error}".replace("\n", " ")
        for value in secrets:
            reason = reason.replace(value, "[secret]")
        print(f"FAIL  {name}: {reason}", flush=True)
    else:
        passed += 1
        print(f"ok    {name}", flush=True)


def secret(value):
    """Remembers a value, so that it is masked here and looked for in every log by scripts/test."""
    if len(value) >= 8 and value not in secrets:
        secrets.add(value)
        if file := os.environ.get("TOKENHOUSE_TEST_SECRETS"):
            with open(file, "a", encoding="utf-8") as out:
                out.write(f"{value}\n")
    return value
