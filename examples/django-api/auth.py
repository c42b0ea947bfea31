"""Lets a view be called only with an access token of the issuer (RFC 6750, RFC 8725)."""

import re
from functools import wraps

import jwt
from django.conf import settings
from django.http import JsonResponse

# One client for the whole process: it keeps the issuer's keys for five minutes, so few requests ever fetch them.
KEYS = jwt.PyJWKClient(f"{settings.ISSUER}.well-known/jwks.json", timeout=5)


def requires_scope(scope):
    """Answers 401 without a valid access token and 403 without the scope; the view finds `request.claims`."""

    def decorate(view):
        @wraps(view)
        def guarded(request):
            header = request.headers.get("Authorization", "")
            bearer = re.fullmatch(r"Bearer +([\w.~+/-]+=*)", header, re.IGNORECASE | re.ASCII)
            if not bearer:
                return refuse(401, "Send an access token: 'Authorization: Bearer TOKEN'")
            try:
                request.claims = verify(bearer[1])
            except jwt.PyJWKClientConnectionError:  # not 401: its owner would throw away a token that may be good
                return JsonResponse({"message": "Try again soon"}, status=503, headers={"Retry-After": "5"})
            except (jwt.PyJWTError, ValueError, OverflowError, RecursionError) as error:
                return refuse(401, reason(error), error="invalid_token")
            if scope and scope not in str(request.claims.get("scope", "")).split(" "):
                return refuse(403, "The token lacks a scope", error="insufficient_scope", scope=scope)
            return view(request)

        return guarded

    return decorate


requires_auth = requires_scope(None)


def verify(token):
    try:
        KEYS.get_signing_keys()
    except (jwt.PyJWTError, OSError, ValueError) as error:
        raise jwt.PyJWKClientConnectionError from error
    claims = jwt.decode(
        token,
        KEYS.get_signing_key_from_jwt(token),
        algorithms=settings.ALGORITHMS,
        issuer=settings.ISSUER,
        audience=settings.AUDIENCE,
        leeway=5,
        options={"require": ["iss", "aud", "exp"]},
    )
    if "cnf" in claims:
        raise jwt.InvalidTokenError("bound to its owner's key or certificate, which is not checked here")
    return claims


def reason(error):  # in our own words: what a stranger wrote into a token has no place in a header
    expired = isinstance(error, jwt.ExpiredSignatureError)
    return "The token has expired: ask for a new one" if expired else "The token is not valid for this API"


def refuse(status, message, **challenge):
    described = {**challenge, "error_description": message} if challenge else {}
    parts = [f'{name}="{value}"' for name, value in {"realm": "api", **described}.items()]
    return JsonResponse({"message": message}, status=status, headers={"WWW-Authenticate": f"Bearer {', '.join(parts)}"})
