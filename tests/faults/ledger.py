"""What the house wrote down, read from its database as it is, and compared with what clients received."""

import json
import sqlite3
from typing import NamedTuple

import checks


class Row(NamedTuple):
    """A row of the log that issued a token."""

    id: str
    node: str
    request_id: str


class Ledger:
    """The log of a house, read on from where it was read last. `query` answers the rows of an SQL text as texts."""

    def __init__(self, query):
        self.query = query
        self.last = ""
        self.total = 0

    def new_rows(self):
        """The rows that issued tokens since the last call, and no row twice."""
        # The ids are digits of our own making.
        rows = self.query(
            "select id, node_id, kind, tokens, body from logs "
            f"where tenant_id = 'default' and id > '{self.last}' and tokens > 0 order by id"
        )
        found = []
        for id, node, kind, tokens, body in rows:
            checks.expect((kind, int(tokens)) == ("seccft", 1), f"log row {id} is {kind} with {tokens} tokens")
            found.append(Row(id, node, json.loads(body)["request_id"]))
        self.last = found[-1].id if found else self.last
        self.total += len(found)
        return found

    def recorded(self):
        """The tokens in the whole log as it stands, whatever was read of it before."""
        return int(self.query("select coalesce(sum(tokens), 0) from logs where tenant_id = 'default'")[0][0])

    def counted(self):
        """The tokens in the usage table as it stands, with nothing folded for the asking."""
        return int(self.query("select coalesce(sum(tokens), 0) from usage")[0][0])


def sqlite_ledger(house):
    """The ledger of a house on SQLite; a connection for each question, so that none outlives a kill."""

    def query(sql):
        connection = sqlite3.connect(f"file:{house.sqlite}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    return Ledger(query)


def expect_recorded(load, rows):
    """Every token that was received has its log row, and no request has two."""
    recorded = {row.request_id for row in rows}
    issued = load.tokens()
    checks.expect(issued, "the load received no token at all")
    missing = issued - recorded
    checks.expect(not missing, f"{len(missing)} of {len(issued)} tokens have no log row, such as {sorted(missing)[:3]}")
    ours = [row.request_id for row in rows if row.request_id.startswith(f"{load.name}-")]
    checks.expect(len(ours) == len(set(ours)), f"{len(ours) - len(set(ours))} log rows are there twice")


def expect_counted(house, ledger):
    """What `tokenhouse usage` counts is what the log holds."""
    counted = house.usage()
    checks.expect(counted == ledger.total, f"usage counts {counted} tokens, the log holds {ledger.total}")


def expect_only(load, statuses):
    """Nothing but these statuses was answered, and each 503 says when to try again."""
    answers = load.answers()
    others = {status: count for status, count in answers.items() if status not in statuses}
    checks.expect(not others, f"answered {others} beside {statuses}; None is no answer")
    mute = sum(1 for exchange in load.exchanges if exchange.status == 503 and not exchange.retry_after)
    checks.expect(not mute, f"{mute} of {answers[503]} answers 503 have no Retry-After")


def expect_nothing_issued_between(load, from_moment, to_moment):
    """No token was given to a request that began and ended while the database could not be written."""
    given = [exchange for exchange in load.exchanges
             if exchange.status == 200 and exchange.sent_at > from_moment and exchange.ended_at < to_moment]
    checks.expect(not given, f"{len(given)} tokens were given while nothing could be recorded")
