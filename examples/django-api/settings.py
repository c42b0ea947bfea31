"""Who issues the access tokens that this API accepts, and for which audience; the rest is Django's minimum."""

import os

ISSUER = os.environ.get("ISSUER", "http://localhost:4000/")  # equals the token's `iss`, with its trailing slash
AUDIENCE = os.environ.get("AUDIENCE", "https://api.example.com")
ALGORITHMS = ["RS256", "ES256"]

ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ROOT_URLCONF = "api"
MIDDLEWARE = ["api.allow_browsers"]
