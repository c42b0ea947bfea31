"""Clients: many keep-alive connections that ask for tokens as fast as they are answered, and remember each answer.

Each request has an id of its own, which the house writes into the request's log row.
"""

import itertools
import json
import re
import socket
import threading
import time
from collections import Counter
from typing import NamedTuple
from urllib.parse import urlencode

import checks

AUDIENCE = "https://load.example.com"
CONNECTIONS = 32
ANSWER_S = 40
AGAIN_S = 0.05

_loads = itertools.count(1)


class Exchange(NamedTuple):
    """A request and what came of it; `status` is None where no whole answer came."""

    id: str
    sent_at: float
    ended_at: float
    status: int | None
    retry_after: str | None

    @property
    def took_s(self):
        return self.ended_at - self.sent_at


class Connection:
    """One keep-alive connection to a house."""

    def __init__(self, house, application):
        self.port = house.port
        body = urlencode({
            "grant_type": "client_credentials",
            "audience": AUDIENCE,
            "client_id": application["client_id"],
            "client_secret": application["client_secret"],
        })
        # The id comes first, so that a trace that cuts what it shows still has it.
        self.request = (
            f"\r\nHost: {house.authority}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        )
        self.socket = None

    def ask(self, id):
        """Asks once; connects if need be. Raises OSError only where nothing could be sent for want of a connection."""
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=ANSWER_S)
        sent_at = time.monotonic()
        try:
            self.socket.sendall(f"POST /oauth/token HTTP/1.1\r\nX-Request-Id: {id}{self.request}".encode())
            status, headers, body = read_answer(self.socket)
        except OSError:
            self.close()
            return Exchange(id, sent_at, time.monotonic(), None, None), b""
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Exchange(id, sent_at, time.monotonic(), status, headers.get("retry-after")), body

    def close(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None


class Load:
    """Full load on one or several houses while the `with` block runs; afterwards `exchanges` holds what came of it.

    With `ends_when_lost` a connection that breaks ends its client; otherwise the client connects again. With `pause_s`
    each client rests between two requests, for a load that is light.
    """

    def __init__(self, houses, application, connections=CONNECTIONS, ends_when_lost=False, pause_s=0):
        self.name = f"load-{next(_loads)}"
        self.exchanges = []
        self.ends_when_lost = ends_when_lost
        self.pause_s = pause_s
        self.stopping = False
        pairs = zip(range(connections), itertools.cycle(houses))
        self.threads = [
            threading.Thread(target=self._client, args=(Connection(house, application), number), daemon=True)
            for number, house in pairs
        ]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Lets every client finish what it asked last."""
        self.stopping = True
        for thread in self.threads:
            thread.join()

    def tokens(self):
        """The ids of requests whose token was received whole."""
        return {exchange.id for exchange in self.exchanges if exchange.status == 200}

    def answers(self):
        """How often each status came."""
        return Counter(exchange.status for exchange in self.exchanges)

    def wait_for(self, what, within_s, matches):
        """Waits until an exchange matches."""
        return checks.until(what, within_s, lambda: any(map(matches, self.exchanges[:])))

    def wait_for_token_sent_after(self, moment, within_s):
        """Waits until a request that was sent after the moment has its token: how long after, in s."""
        self.wait_for("a token, the fault being over", within_s,
                      lambda exchange: exchange.status == 200 and exchange.sent_at > moment)
        return min(exchange.ended_at for exchange in self.exchanges[:]
                   if exchange.status == 200 and exchange.sent_at > moment) - moment

    def _client(self, connection, number):
        for count in itertools.count():
            if self.stopping:
                break
            try:
                exchange, body = connection.ask(f"{self.name}-{number}-{count}")
            except OSError:
                if self.ends_when_lost:
                    break
                time.sleep(AGAIN_S)
                continue
            self.exchanges.append(exchange)
            if exchange.status == 200 and count == 0:
                checks.secret(json.loads(body)["access_token"])
            if exchange.status is None and self.ends_when_lost:
                break
            if exchange.status != 200 or self.pause_s:
                time.sleep(self.pause_s or AGAIN_S)
        connection.close()


def token(house, application, id="one"):
    """Asks for one token: the status, or None where nobody answers."""
    connection = Connection(house, application)
    try:
        return connection.ask(id)[0].status
    except OSError:
        return None
    finally:
        connection.close()


def get(port, authority, path):
    """The status of a GET on a new connection, or None where nobody answers."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n".encode())
            return read_answer(connection)[0]
    except OSError:
        return None


def read_answer(connection):
    """Reads one whole answer: status, headers, body. Raises OSError where it ends early."""
    data = bytearray()
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += _receive(connection)
    lines = data[:end].decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    whole = end + 4 + int(headers["content-length"])
    while len(data) < whole:
        data += _receive(connection)
    return int(re.match(r"HTTP/1\.1 (\d{3}) ", lines[0])[1]), headers, bytes(data[end + 4:whole])


def _receive(connection):
    received = connection.recv(65536)
    if not received:
        raise ConnectionResetError("the connection ended")
    return received
