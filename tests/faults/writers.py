"""Fifty writers on one application and one grant, through two nodes on one PostgreSQL: for each key the last write wins,
every write is counted in order, and what one node wrote the other knows within a second."""

import http.client
import json
import threading
import time
from typing import NamedTuple

import checks
from house import House
from load import ANSWER_S, AUDIENCE
from postgres import Postgres

WRITERS = 50
WRITES = 4
KEYS = 8
SEEN_S = 1
ROUNDS = 10
SCOPES = ["read:a", "write:a"]


class Write(NamedTuple):
    """A change of one key that was acknowledged: when it was asked for, and when its answer was there."""

    key: str
    value: str
    asked_at: float
    answered_at: float


class Api:
    """An administrator at one node's Management API; each thread has a connection of its own."""

    def __init__(self, house, token):
        self.house, self.token, self.own = house, token, threading.local()

    def ask(self, method, path, body=None):
        """The JSON of an answer that must be 200 or 201."""
        status, answer = self.exchange(method, f"/api/v2/{path}", body)
        checks.expect(status in (200, 201), f"{method} {path}: {status} {answer}")
        return answer

    def exchange(self, method, path, body):
        if not hasattr(self.own, "connection"):
            self.own.connection = http.client.HTTPConnection("127.0.0.1", self.house.port, timeout=ANSWER_S)
        headers = {"Host": self.house.authority, "Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        self.own.connection.request(method, path, body=body and json.dumps(body), headers=headers)
        answer = self.own.connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None


def run(folder):
    with Postgres() as postgres:
        url = postgres.add_database("writers")
        first = House(folder / "first", url)
        second = House(folder / "second", url, beside=first)
        with first, second:
            first.start()
            second.start()
            apis = _administrators(first, second)
            made = _furnish(apis[0])
            revision = lambda: int(postgres.query("select revision from revisions where tenant_id = 'default'", "writers")[0][0])
            before = revision()
            _check_writers(apis, made, before, revision, postgres)
            _check_caches(apis, made)


def _administrators(first, second):
    """The same administrator at both nodes."""
    application = first.command("apps", "create", "Administrator")
    checks.secret(application["client_secret"])
    audience = f"http://{first.authority}/api/v2/"
    first.command("grants", "create", "--app", application["client_id"], "--api", audience, "--all-scopes")
    token = checks.until("the administrator's token", 5, lambda: _token(first, application, audience))
    return [Api(house, checks.secret(token)) for house in (first, second)]


def _furnish(api):
    """An API, an application that may use it, and their grant."""
    scopes = [{"value": scope} for scope in SCOPES]
    api.ask("POST", "resource-servers", {"identifier": AUDIENCE, "signing_alg": "ES256", "scopes": scopes})
    application = api.ask("POST", "clients", {"name": "Written", "app_type": "non_interactive"})
    checks.secret(application["client_secret"])
    body = {"client_id": application["client_id"], "audience": AUDIENCE, "scope": SCOPES[:1]}
    return application, api.ask("POST", "client-grants", body)


def _check_writers(apis, made, before, revision, postgres):
    application, grant = made
    with checks.check(f"{WRITERS} writers of one application and one grant: the last write of each key wins") as check:
        began = time.monotonic()
        writes = _written(apis, application["client_id"], grant["id"])
        check.note(f"{2 * len(writes)} writes in {time.monotonic() - began:.1f} s")
        states = [api.ask("GET", f"clients/{application['client_id']}") for api in apis]
        checks.expect(states[0] == states[1], "the two nodes tell different things")
        _expect_last(writes, states[0]["client_metadata"])
    with checks.check("each of their writes has a revision of its own, one after the other, and a row of the log"):
        counted = revision() - before
        checks.expect(counted == 2 * WRITERS * WRITES, f"{2 * WRITERS * WRITES} writes, {counted} revisions")
        sql = f"select revision from changes where tenant_id = 'default' and revision > {before} order by revision"
        listed = [int(row[0]) for row in postgres.query(sql, "writers")]
        checks.expect(listed == list(range(before + 1, before + counted + 1)), "the list of changes has gaps")
        sql = "select count(*) from logs where kind = 'sapi' and body like '%\"method\":\"patch\"%'"
        rows = int(postgres.query(sql, "writers")[0][0])
        checks.expect(rows == counted, f"{counted} writes, {rows} rows of the log")


def _written(apis, client_id, grant_id):
    """What was written of the application's metadata; the grant is written as often."""
    writes, failures = [], []

    def write(number):
        try:
            for turn in range(WRITES):
                api = apis[(number + turn) % 2]
                key, value = f"key{(number + turn) % KEYS}", f"{number}-{turn}"
                asked_at = time.monotonic()
                api.ask("PATCH", f"clients/{client_id}", {"client_metadata": {key: value}})
                writes.append(Write(key, value, asked_at, time.monotonic()))
                api.ask("PATCH", f"client-grants/{grant_id}", {"scope": [SCOPES[number % 2]]})
        except Exception as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    if failures:
        raise failures[0]
    return writes


def _expect_last(writes, found):
    """The value of each key is of a write after whose answer nobody asked for another."""
    checks.expect(sorted(found) == sorted({write.key for write in writes}), f"the keys are {sorted(found)}")
    for key, value in found.items():
        of_key = [write for write in writes if write.key == key]
        (kept,) = [write for write in of_key if write.value == value]
        later = [write.value for write in of_key if write.asked_at > kept.answered_at]
        checks.expect(not later, f"{key} is {value}, though {later} were written after it was answered")


def _check_caches(apis, made):
    """Tokens are issued from caches: those of both nodes follow each write, whichever made it."""
    application, grant = made
    with checks.check(f"a grant written {ROUNDS} times, by one node or the other, is in force on both within a second") as check:
        slowest = 0
        for number in range(ROUNDS):
            writer, reader = apis[number % 2], apis[(number + 1) % 2]
            wanted = SCOPES[number % 2]
            writer.ask("PATCH", f"client-grants/{grant['id']}", {"scope": [wanted]})
            began = time.monotonic()
            checks.expect(_scope(writer.house, application) == wanted, "the node that wrote it gives the old scope")
            checks.until(f"{wanted} from the other node", SEEN_S, lambda: _scope(reader.house, application) == wanted)
            slowest = max(slowest, time.monotonic() - began)
        check.note(f"{slowest * 1000:.0f} ms at most")


def _scope(house, application):
    return _answer(house, application, AUDIENCE).get("scope")


def _token(house, application, audience):
    return _answer(house, application, audience).get("access_token")


def _answer(house, application, audience):
    body = {name: application[name] for name in ("client_id", "client_secret")}
    body |= {"grant_type": "client_credentials", "audience": audience}
    _, answer = Api(house, None).exchange("POST", "/oauth/token", body)
    if token := answer.get("access_token"):
        checks.secret(token)
    return answer
