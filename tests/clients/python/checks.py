"""Published Python clients, unmodified, against the house that ../with-house.mjs started."""

import json
import os
import sys
import time
import uuid

import jwt
import requests
from auth0.authentication import GetToken
from auth0.authentication.exceptions import Auth0Error
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT

import promises
from management import check_management
from promises import check, refused, secret
from resources import check_resources

WRONG = "a-secret-of-no-python-client"
TIMEOUT_SECONDS = 15


def main():
    with open(os.environ["TOKENHOUSE_HOUSE"], encoding="utf-8") as file:
        house = json.load(file)
    for application in house["applications"].values():
        secret(application["client_secret"])
    secret(WRONG)
    check_auth0(house)
    check_authlib(house)
    check_assertions(house)
    check_pyjwt(house)
    check_profile(house)
    check_requests(house)
    check_resources(house)
    check_management(house)
    return promises.totals()


def check_auth0(house):
    # http is auth0-python's own option, for the binaries that have no https yet.
    protocol = "https" if house["https"] else "http"
    audience, user = house["audience"], house["user"]

    def client(name, **changed):
        application = {**house["applications"][name], **changed}
        return GetToken(house["domain"], **application, protocol=protocol, timeout=TIMEOUT_SECONDS)

    def client_credentials():
        answer = client("sample").client_credentials(audience)
        secret(answer["access_token"])
        assert answer["token_type"] == "Bearer" and answer["expires_in"] == 86400, "type or lifetime"
        assert sorted(answer["scope"].split()) == ["read:messages", "write:messages"], answer["scope"]

    def password(**more):
        answer = client("password").login(**user, audience=audience, scope="openid read:messages", **more)
        secret(answer["access_token"])
        secret(answer["id_token"])
        assert sorted(answer["scope"].split()) == ["openid", "read:messages"], answer["scope"]

    def wrong_password():
        client("password").login(user["username"], WRONG, audience=audience, grant_type="password")

    check("auth0-python: GetToken.client_credentials", client_credentials)
    check("auth0-python: GetToken.login, grant password, realm null", lambda: password(grant_type="password"))
    check("auth0-python: GetToken.login with a realm", lambda: password(realm="Username-Password-Authentication"))
    check(
        "auth0-python: a wrong secret is Auth0Error 401 access_denied",
        lambda: refused(
            lambda: client("sample", client_secret=WRONG).client_credentials(audience),
            Auth0Error,
            status_code=401,
            error_code="access_denied",
        ),
    )
    check(
        "auth0-python: a wrong password is Auth0Error 403 invalid_grant",
        lambda: refused(wrong_password, Auth0Error, status_code=403, error_code="invalid_grant"),
    )
    check(
        "auth0-python: no client grant is Auth0Error 403 access_denied",
        lambda: refused(
            lambda: client("password").client_credentials(audience),
            Auth0Error,
            status_code=403,
            error_code="access_denied",
        ),
    )


def check_authlib(house):
    def session(method, name="sample", **changed):
        application = {**house["applications"][name], **changed}
        return OAuth2Session(**application, token_endpoint_auth_method=method, default_timeout=TIMEOUT_SECONDS)

    def fetch(method, **changed):
        with session(method, **changed) as one:
            token = one.fetch_token(
                house["token_url"], grant_type="client_credentials", audience=house["audience"], scope="read:messages"
            )
            secret(token["access_token"])
            assert token["scope"] == "read:messages", token["scope"]
            answer = one.get(f"{house['api_url']}/api/private-scoped")
            assert answer.status_code == 200, f"the API answered {answer.status_code}"

    def password():
        with session("client_secret_post", "password") as one:
            token = one.fetch_token(
                house["token_url"], grant_type="password", audience=house["audience"], scope="read:messages", **house["user"]
            )
            assert secret(token["access_token"])

    for method in ("client_secret_basic", "client_secret_post"):
        check(f"Authlib: client credentials and a call, {method}", lambda: fetch(method))
        check(
            f"Authlib: a wrong secret is OAuthError access_denied, {method}",
            lambda: refused(lambda: fetch(method, client_secret=WRONG), OAuthError, error="access_denied"),
        )
    check("Authlib: the password grant", password)


def check_assertions(house):
    audience = house["strict"]

    def auth0(algorithm):
        signer = house["signers"][algorithm]
        client = GetToken(
            house["domain"],
            signer["client_id"],
            client_assertion_signing_key=signer["private_key"],
            client_assertion_signing_alg=algorithm,
            protocol="https" if house["https"] else "http",
            timeout=TIMEOUT_SECONDS,
        )
        secret(client.client_credentials(audience)["access_token"])

    def authlib(method):
        signer = house["signers"]["RS256"]
        with OAuth2Session(signer["client_id"], signer["private_key"], default_timeout=TIMEOUT_SECONDS) as one:
            one.register_client_auth_method(method)
            one.token_endpoint_auth_method = method.name
            token = one.fetch_token(house["token_url"], grant_type="client_credentials", audience=audience)
            secret(token["access_token"])

    def short(**claims):
        return PrivateKeyJWT(house["issuer"], claims={"exp": int(time.time()) + 120, **claims})

    def replay():
        jti = str(uuid.uuid4())
        authlib(short(jti=jti))
        refused(lambda: authlib(short(jti=jti)), OAuthError, error="invalid_client")

    for algorithm in house["signers"]:
        check(f"auth0-python: client_assertion_signing_key, {algorithm}", lambda: auth0(algorithm))
    check("Authlib: PrivateKeyJWT, aud the issuer, exp in 2 minutes", lambda: authlib(short()))
    check("Authlib: the same jti again is OAuthError invalid_client", replay)
    # Its own values are the token endpoint and an hour; ours are the issuer alone and at most five minutes.
    check(
        "Authlib: PrivateKeyJWT as it comes is OAuthError invalid_client",
        lambda: refused(lambda: authlib(PrivateKeyJWT()), OAuthError, error="invalid_client"),
    )


def check_pyjwt(house):
    keys = jwt.PyJWKClient(house["jwks_url"], timeout=TIMEOUT_SECONDS)
    cases = [("RS256", house["audience"], "sample")]
    cases += [(algorithm, audience, "algorithms") for algorithm, audience in house["algorithms"].items()]

    def verify(token, algorithm, audience):
        key = keys.get_signing_key_from_jwt(token)
        required = {"require": ["exp", "iat", "iss", "aud", "sub"]}
        return jwt.decode(
            token, key, algorithms=[algorithm], audience=audience, issuer=house["issuer"], options=required
        )

    def accepts(algorithm, audience, name):
        claims = verify(fetch_token(house, name, audience), algorithm, audience)
        client_id = house["applications"][name]["client_id"]
        assert (claims["sub"], claims["azp"]) == (f"{client_id}@clients", client_id), "sub or azp"

    def wrong_audience():
        verify(fetch_token(house, "sample", house["audience"]), "RS256", house["algorithms"]["ES256"])

    def altered():
        token = fetch_token(house, "sample", house["audience"])
        head, changed, tail = token[:-20], token[-20], token[-19:]
        verify(head + ("B" if changed == "A" else "A") + tail, "RS256", house["audience"])

    for case in cases:
        check(f"PyJWT: PyJWKClient and decode, {case[0]}", lambda: accepts(*case))
    check("PyJWT: another API's token is InvalidAudienceError", lambda: refused(wrong_audience, jwt.InvalidAudienceError))
    check("PyJWT: an altered token is InvalidSignatureError", lambda: refused(altered, jwt.InvalidSignatureError))


def check_profile(house):
    def claims():
        token, client_id = fetch_token(house, "writer", house["strict"]), house["applications"]["writer"]["client_id"]
        key = jwt.PyJWKClient(house["jwks_url"], timeout=TIMEOUT_SECONDS).get_signing_key_from_jwt(token)
        required = {"require": ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"]}
        found = jwt.decode_complete(
            token, key, algorithms=["RS256"], audience=house["strict"], issuer=house["issuer"], options=required
        )
        assert found["header"]["typ"] == "at+jwt", found["header"]
        assert found["payload"]["client_id"] == client_id, "client_id"
        assert found["payload"]["permissions"] == ["write:reports"], "permissions"

    check("PyJWT: RFC 9068, every claim that it requires, and permissions", claims)


def check_requests(house):
    def private():
        url = f"{house['api_url']}/api/private"
        token = fetch_token(house, "sample", house["audience"])
        bare = requests.get(url, timeout=TIMEOUT_SECONDS)
        good = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT_SECONDS)
        assert (bare.status_code, good.status_code) == (401, 200), (bare.status_code, good.status_code)

    check("requests: the sample API, without a token and with one", private)


def fetch_token(house, name, audience):
    body = {"grant_type": "client_credentials", "audience": audience, **house["applications"][name]}
    answer = requests.post(house["token_url"], data=body, timeout=TIMEOUT_SECONDS)
    assert answer.status_code == 200, f"the token endpoint answered {answer.status_code}"
    return secret(answer.json()["access_token"])


if __name__ == "__main__":
    sys.exit(main())
