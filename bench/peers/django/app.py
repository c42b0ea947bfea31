"""Django OAuth Toolkit as an authorization server and an API that it protects: one small project in one file.

    python app.py prepare    makes the database and the application
    gunicorn app:application

From the environment: PEERS_FOLDER (the data), PEERS_CLIENT_ID, PEERS_CLIENT_SECRET, PEERS_AUDIENCE; PEERS_TOKENS is
`opaque`, the toolkit's own, or `jwt`, RS256 by a generator in its settings; PEERS_SECRET is `plain` or `hashed`, the
toolkit's own, which costs a password hash for each token.
"""

import os
import sys
import time
import uuid
from pathlib import Path

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path

FOLDER = Path(os.environ["PEERS_FOLDER"])
KEY = FOLDER / "key.pem"
LIFETIME_S = 86400


def jwt(request, refresh_token=False):
    """The access token: the toolkit keeps it in its database all the same."""
    global _key
    from jwcrypto import jwk
    from jwcrypto.jwt import JWT

    if _key is None:
        _key = jwk.JWK.from_pem(KEY.read_bytes())
    now = int(time.time())
    claims = {
        "iss": "http://127.0.0.1/", "sub": request.client.client_id, "aud": os.environ["PEERS_AUDIENCE"],
        "iat": now, "exp": now + LIFETIME_S, "jti": str(uuid.uuid4()), "scope": "read",
    }
    token = JWT(header={"alg": "RS256", "typ": "at+jwt"}, claims=claims)
    token.make_signed_token(_key)
    return token.serialize()


_key = None
settings.configure(
    SECRET_KEY=os.environ["PEERS_CLIENT_SECRET"],
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": FOLDER / "django.db",
            "CONN_MAX_AGE": None,
            # As SQLite is run for servers. Commits are durable, as ours are.
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "init_command": "pragma journal_mode=wal; pragma synchronous=full",
            },
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
    LOGGING={"version": 1, "root": {"handlers": [], "level": "ERROR"}},
    OAUTH2_PROVIDER={
        "SCOPES": {"read": "Read"},
        "ACCESS_TOKEN_EXPIRE_SECONDS": LIFETIME_S,
        "ACCESS_TOKEN_GENERATOR": jwt if os.environ["PEERS_TOKENS"] == "jwt" else None,
    },
)
django.setup()

from oauth2_provider.decorators import protected_resource  # noqa: E402, needs the settings
from oauth2_provider.views import TokenView  # noqa: E402


@protected_resource(scopes=["read"])
def private(request):
    return JsonResponse({"message": "Hello, somebody: your access token is valid."})


urlpatterns = [path("token", TokenView.as_view()), path("api/private", private)]


def prepare():
    from django.core.management import call_command
    from jwcrypto import jwk
    from oauth2_provider.models import get_application_model

    call_command("migrate", verbosity=0)
    KEY.write_bytes(jwk.JWK.generate(kty="RSA", size=2048).export_to_pem(private_key=True, password=None))
    application = get_application_model()
    application.objects.create(
        name="Load",
        client_id=os.environ["PEERS_CLIENT_ID"],
        client_secret=os.environ["PEERS_CLIENT_SECRET"],
        client_type=application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=application.GRANT_CLIENT_CREDENTIALS,
        hash_client_secret=os.environ["PEERS_SECRET"] == "hashed",
    )


if __name__ == "__main__" and sys.argv[1:] == ["prepare"]:
    prepare()
else:
    application = get_wsgi_application()
