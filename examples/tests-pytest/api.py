"""A tiny API: `GET /messages` wants an access token with the scope `read:messages`."""

import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt


def api(issuer, audience):
    """An HTTP server, on a free port, that accepts the tokens of one issuer for one audience."""
    keys = jwt.PyJWKClient(f"{issuer}.well-known/jwks.json", timeout=5)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, challenge = self.judge()
            body = json.dumps(["hello"] if status == 200 else {"status": status}).encode()
            self.send_response(status)
            if challenge:
                self.send_header("WWW-Authenticate", challenge)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def judge(self):
            if self.path != "/messages":
                return 404, None
            bearer = re.fullmatch(r"Bearer +([\w.~+/-]+=*)", self.headers.get("Authorization", ""), re.I | re.A)
            if not bearer:
                return 401, "Bearer"
            try:
                claims = verify(bearer[1])
            except ConnectionError:  # not 401: its owner would throw away a token that may be good
                return 503, None
            except (jwt.PyJWTError, ValueError, OverflowError, RecursionError):
                return 401, 'Bearer error="invalid_token"'
            if "read:messages" not in str(claims.get("scope", "")).split(" "):
                return 403, 'Bearer error="insufficient_scope", scope="read:messages"'
            return 200, None

        def log_message(self, *_):
            pass

    def verify(token):
        try:
            keys.get_signing_keys()
        except (jwt.PyJWTError, OSError, ValueError) as error:
            raise ConnectionError from error
        key = keys.get_signing_key_from_jwt(token)
        required = {"require": ["iss", "aud", "exp"]}
        claims = jwt.decode(
            token, key, algorithms=["RS256"], issuer=issuer, audience=audience, leeway=5, options=required
        )
        if "cnf" in claims:
            raise jwt.InvalidTokenError("bound to its owner's key or certificate, which is not checked here")
        return claims

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)
