"""An issuer of its own for the tests: starts `tokenhouse dev --memory`, gets tokens from it, steers it."""

import json
import os
import subprocess
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

PROGRAM = os.environ.get("TOKENHOUSE", "tokenhouse")
SEED = Path(__file__).parent.parent / "seed.toml"


class Double:
    """A running issuer; its first line says where it is and which applications there are."""

    def __init__(self):
        arguments = ["dev", "--memory", "--port", "0", "--seed", str(SEED), "--json"]
        self.process = subprocess.Popen([PROGRAM, *arguments], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{PROGRAM} ended with {self.process.wait()}: see its message on stderr")
        self.facts = json.loads(line)
        self.issuer = self.facts["issuer"]
        self.audience = self.facts["audience"]

    def token(self, application, **fields):
        """An access token of a seeded application; `fields` adds to the request or changes it."""
        form = {"grant_type": "client_credentials", "audience": self.audience}
        form |= self.facts["applications"][application] | fields
        with urlopen(self.facts["token_url"], urlencode(form).encode(), timeout=10) as answer:
            return json.load(answer)["access_token"]

    def steer(self, method, path, body=None):
        """A request under `/dev/`: faults, rotations, the clock."""
        headers = {"Tokenhouse-Dev": "1"} | ({"Content-Type": "application/json"} if body else {})
        data = json.dumps(body).encode() if body else None
        urlopen(Request(self.facts["dev_url"] + path, data, headers, method=method), timeout=10).close()

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=10)
        self.process.stdout.close()
