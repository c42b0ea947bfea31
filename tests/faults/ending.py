"""SIGTERM under load: what was accepted is answered, and the books are closed before the process ends."""

import socket
import sqlite3
import threading
import time

import checks
import load as clients
from house import House
from ledger import expect_only, expect_recorded, sqlite_ledger
from load import CONNECTIONS, Connection, Load

TIMES = 5
END_S = 10
HELD_S = 1.5


def run(folder):
    with House(folder) as house:
        house.start()
        application = house.furnish()
        ledger = sqlite_ledger(house)
        ledger.new_rows()
        for number in range(1, TIMES + 1):
            promise = f"SIGTERM under load, {number} of {TIMES}: what was accepted is answered, exit 0"
            with checks.check(promise) as check:
                _under_load(house, application, ledger, check)
            house.start()
        with checks.check(f"SIGTERM while {CONNECTIONS} requests wait for the disk: all get their token") as check:
            _while_waiting(house, application, ledger, check)
        house.start()
        with checks.check("SIGTERM while a stranger sends half a head, and half a body: nobody waits for the rest") as check:
            _half_sent(house, check)
        house.start()
        with checks.check("SIGTERM while a stranger asks for much and reads nothing: nobody waits for that either") as check:
            _unread(house, check)


def _half_sent(house, check):
    """Under a service manager the next process begins when this one has ended, and all callers wait for it."""
    head = f"POST /oauth/token HTTP/1.1\r\nHost: {house.authority}\r\n".encode()
    rest = b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    address = ("127.0.0.1", house.port)
    new, body = socket.create_connection(address), socket.create_connection(address)
    kept = socket.create_connection(address)
    kept.sendall(f"GET /healthz HTTP/1.1\r\nHost: {house.authority}\r\n\r\n".encode())
    checks.expect(kept.recv(4096).startswith(b"HTTP/1.1 200"), "no answer to /healthz")
    new.sendall(head)
    kept.sendall(head)
    body.sendall(head + rest)
    time.sleep(0.3)
    asked_at = time.monotonic()
    house.ask_to_end()
    code = house.ended(END_S)
    took_s = time.monotonic() - asked_at
    answer = body.recv(4096)
    for connection in (new, body, kept):
        connection.close()
    checks.expect(code == 0, f"it ended with {code}")
    checks.expect(took_s < 5, f"it waited for {took_s:.1f} s")
    checks.expect(answer.startswith(b"HTTP/1.1 408"), f"the half-sent body was answered {answer[:60]}")
    check.note(f"ended in {took_s:.1f} s")


def _unread(house, check):
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        stranger.connect(("127.0.0.1", house.port))
        # More than what waits between the two: 16 MB.
        stranger.sendall(f"GET /api/v2/openapi.json HTTP/1.1\r\nHost: {house.authority}\r\n\r\n".encode() * 40)
        time.sleep(1)
        asked_at = time.monotonic()
        house.ask_to_end()
        code = house.ended(END_S)
        took_s = time.monotonic() - asked_at
    checks.expect(code == 0, f"it ended with {code}")
    check.note(f"ended in {took_s:.1f} s")


def _under_load(house, application, ledger, check):
    with Load([house], application, ends_when_lost=True) as load:
        checks.until("tokens under load", 10, lambda: len(load.exchanges) > 100)
        time.sleep(0.3)
        asked_at = time.monotonic()
        house.ask_to_end()
        code = house.ended(END_S)
        took_s = time.monotonic() - asked_at
    checks.expect(code == 0, f"it ended with {code}")
    rows = ledger.new_rows()
    expect_only(load, {200, None})
    expect_recorded(load, rows)
    # A request that met the closing door was not accepted, and may be sent again: then it must not be in the log.
    recorded = {row.request_id for row in rows}
    unanswered = [exchange.id for exchange in load.exchanges if exchange.status is None]
    taken = [id for id in unanswered if id in recorded]
    checks.expect(not taken, f"{len(taken)} requests were recorded as granted and not answered")
    # By the server itself before it ended: nobody asked for usage since.
    counted = ledger.counted()
    checks.expect(counted == ledger.total, f"usage held {counted} tokens at the end, the log {ledger.total}")
    check.note(f"{len(load.tokens())} tokens, {len(unanswered)} met the closing door, ended in {took_s * 1000:.0f} ms")


def _while_waiting(house, application, ledger, check):
    connections = [Connection(house, application) for _ in range(CONNECTIONS)]
    for number, connection in enumerate(connections):
        connection.ask(f"before-{number}")
    ledger.new_rows()
    exchanges = []
    lock = sqlite3.connect(house.sqlite, timeout=20, isolation_level=None)
    try:
        lock.execute("begin immediate")
        ask = lambda number, connection: exchanges.append(connection.ask(f"waiting-{number}")[0])
        threads = [threading.Thread(target=ask, args=pair, daemon=True) for pair in enumerate(connections)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        house.ask_to_end()
        time.sleep(HELD_S / 2)
        late = clients.token(house, application, "late")
        time.sleep(HELD_S / 2)
        lock.execute("rollback")
    finally:
        lock.close()
    code = house.ended(END_S)
    for thread in threads:
        thread.join()
    kept = sum(1 for connection in connections if connection.socket is not None)
    checks.expect(not kept, f"{kept} connections were not told that they are closed (Connection: close)")
    checks.expect(late is None, f"a new connection was answered {late} while it ended")
    statuses = sorted({str(exchange.status) for exchange in exchanges})
    checks.expect(statuses == ["200"], f"answered {statuses}")
    checks.expect(code == 0, f"it ended with {code}")
    recorded = {row.request_id for row in ledger.new_rows()}
    missing = {exchange.id for exchange in exchanges} - recorded
    checks.expect(not missing, f"{len(missing)} of the tokens have no log row")
    check.note(f"{len(exchanges)} tokens")
