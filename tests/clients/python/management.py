"""Auth0's own SDK for the Management API, auth0-python (ManagementClient), against the house."""

import datetime
from concurrent.futures import ThreadPoolExecutor

import requests
from auth0.management import ManagementClient
from auth0.management.errors import BadRequestError, ForbiddenError, NotFoundError, UnauthorizedError
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from promises import check, refused, secret

TIMEOUT_SECONDS = 15
MANY = 1_000
SOME = 120
AT_ONCE = 8


def check_management(house):
    if not house["https"]:
        print("      not run, needs `dev --https`: auth0-python (ManagementClient)")
        return
    own = {name: house["management"][name] for name in ("client_id", "client_secret")}
    api = ManagementClient(domain=house["domain"], **own, timeout=TIMEOUT_SECONDS)
    check("ManagementClient: the life of a client, its secret rotated", lambda: client(house, api))
    check("ManagementClient: credentials of a client, and private_key_jwt with them", lambda: credentials(api))
    check("ManagementClient: the life of an API, by id and by identifier", lambda: resource_server(api))
    check("ManagementClient: the life of a client grant, which tokens follow", lambda: client_grant(house, api))
    check(f"ManagementClient: pages of clients over {MANY} and checkpoints of grants over {SOME}", lambda: pages(api))
    check("ManagementClient: refusals are its errors, with Auth0's bodies", lambda: refusals(house, api))


def client(house, api):
    made = api.clients.create(name="By SDK", app_type="non_interactive", client_metadata={"a": "1", "b": "2"})
    old = secret(made.client_secret)
    assert made.is_first_party and made.jwt_configuration.lifetime_in_seconds == 36000, "defaults"
    assert api.clients.get(made.client_id).client_secret == old, "another secret is read"
    changed = api.clients.update(made.client_id, description="Changed", client_metadata={"a": None, "c": "3"})
    assert (changed.description, changed.client_metadata) == ("Changed", {"b": "2", "c": "3"}), changed.client_metadata
    some = api.clients.get(made.client_id, fields="name")
    assert some.name == "By SDK" and some.client_secret is None and some.description is None, "fields"
    grant = api.client_grants.create(client_id=made.client_id, audience=house["audience"], scope=["read:messages"])
    new = secret(api.clients.rotate_secret(made.client_id).client_secret)
    found = [token_status(house, made.client_id, value) for value in (old, new)]
    assert found == [401, 200], found
    api.clients.delete(made.client_id)
    refused(lambda: api.clients.get(made.client_id), NotFoundError, status_code=404)
    refused(lambda: api.client_grants.get(grant.id), NotFoundError, status_code=404)


def credentials(api):
    app = api.clients.create(name="Signs")
    secret(app.client_secret)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    of = api.clients.credentials
    made = of.create(app.client_id, credential_type="public_key", name="Key", pem=pem, alg="RS256")
    assert made.id.startswith("cred_") and [one.id for one in of.list(app.client_id)] == [made.id], made.id
    methods = {"private_key_jwt": {"credentials": [{"id": made.id}]}}
    keyed = api.clients.update(app.client_id, client_authentication_methods=methods, token_endpoint_auth_method=None)
    assert keyed.client_secret is None and keyed.token_endpoint_auth_method is None, "a secret is shown"
    assert [one.id for one in keyed.client_authentication_methods.private_key_jwt.credentials] == [made.id]
    until = datetime.datetime(2040, 1, 1, tzinfo=datetime.timezone.utc)
    assert of.update(app.client_id, made.id, expires_at=until).expires_at == until, "expires_at"
    assert of.get(app.client_id, made.id).kid == made.kid, "kid"
    api.clients.update(
        app.client_id, client_authentication_methods=None, token_endpoint_auth_method="client_secret_post"
    )
    of.delete(app.client_id, made.id)
    assert of.list(app.client_id) == [], "not deleted"
    api.clients.delete(app.client_id)


def resource_server(api):
    identifier = "https://by-sdk.example.com/v1/a b"
    made = api.resource_servers.create(identifier=identifier, name="By SDK", scopes=[{"value": "read:a"}])
    assert (made.signing_alg, made.token_lifetime) == ("RS256", 86400), "defaults"
    assert api.resource_servers.get(made.id) == api.resource_servers.get(identifier), "id and identifier differ"
    scopes = [{"value": "write:a", "description": "Write"}, {"value": "read:a"}]
    changed = api.resource_servers.update(identifier, scopes=scopes, token_dialect="access_token_authz")
    assert [one.value for one in changed.scopes] == ["write:a", "read:a"], changed.scopes
    assert changed.token_dialect == "access_token_authz", changed.token_dialect
    assert [one.id for one in api.resource_servers.list(identifiers=[identifier])] == [made.id], "filtered"
    assert sum(bool(one.is_system) for one in api.resource_servers.list()) == 1, "one system API"
    api.resource_servers.delete(made.id)
    refused(lambda: api.resource_servers.get(identifier), NotFoundError, status_code=404)


def client_grant(house, api):
    app = api.clients.create(name="Granted")
    secret(app.client_secret)
    made = api.client_grants.create(client_id=app.client_id, audience=house["audience"], scope=["read:messages"])
    assert made.id.startswith("cgr_") and made.subject_type == "client", made
    assert [one.id for one in api.client_grants.list(client_id=app.client_id)] == [made.id], "listed"
    asked = (house, app.client_id, app.client_secret)
    assert token_status(*asked, scope="write:messages") == 403, "before"
    api.client_grants.update(made.id, scope=["read:messages", "write:messages"])
    assert token_status(*asked, scope="write:messages") == 200, "after"
    api.client_grants.delete(made.id)
    assert token_status(*asked) == 403, "deleted"
    api.clients.delete(app.client_id)


def pages(api):
    audience = "urn:many"
    server = api.resource_servers.create(identifier=audience, scopes=[{"value": "a"}])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        create = lambda number: api.clients.create(name=f"One of many {number}", app_type="native")
        apps = list(pool.map(create, range(MANY)))
        grant = lambda app: api.client_grants.create(client_id=app.client_id, audience=audience, scope=["a"])
        grants = list(pool.map(grant, apps[:SOME]))
    for app in apps:
        secret(app.client_secret)
    wanted = sorted(app.client_id for app in apps)
    for per_page in (50, 99):
        listed = api.clients.list(app_type="native", per_page=per_page, fields="client_id")
        found = sorted(one.client_id for one in listed)
        assert found == wanted, f"{len(found)} of {MANY}, {per_page} a page"
    found = sorted(one.id for one in api.client_grants.list(audience=audience))
    assert found == sorted(grant.id for grant in grants), f"{len(found)} of {SOME}"
    api.resource_servers.delete(server.id)
    assert list(api.client_grants.list(audience=audience)) == [], "its grants went with the API"


def refusals(house, api):
    def body(call, kind):
        try:
            call()
        except kind as error:
            return error.body if isinstance(error.body, dict) else error.body.dict()
        raise AssertionError(f"it was not refused with {kind.__name__}")

    invalid = body(lambda: api.clients.create(name="", client_metadata={}), BadRequestError)
    assert invalid["errorCode"] == "invalid_body", invalid
    stranger = ManagementClient(domain=house["domain"], token="not-a-token")
    assert body(stranger.clients.list, UnauthorizedError)["statusCode"] == 401
    app = api.clients.create(name="Reads clients")
    api.client_grants.create(client_id=app.client_id, audience=house["management"]["audience"], scope=["read:clients"])
    reader = ManagementClient(
        domain=house["domain"], client_id=app.client_id, client_secret=secret(app.client_secret)
    )
    assert reader.clients.get(app.client_id).client_secret is None, "a secret without read:client_keys"
    forbidden = body(lambda: reader.clients.delete(app.client_id), ForbiddenError)
    assert forbidden["message"] == "Insufficient scope, expected any of: delete:clients", forbidden
    assert forbidden["errorCode"] == "insufficient_scope", forbidden


def token_status(house, client_id, client_secret, **more):
    body = {"grant_type": "client_credentials", "audience": house["audience"], **more}
    body |= {"client_id": client_id, "client_secret": client_secret}
    answer = requests.post(house["token_url"], data=body, timeout=TIMEOUT_SECONDS)
    if answer.status_code == 200:
        secret(answer.json()["access_token"])
    return answer.status_code
