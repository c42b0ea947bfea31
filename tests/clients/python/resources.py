"""Auth0's own SDK for the Management API, auth0-python (ManagementClient): the life of everything but applications and
APIs, which management.py has: users, roles, connections, the log, keys, settings, and what users have not got here."""

import json
import time
from urllib.parse import parse_qs, urlsplit

import requests
from auth0.management import ManagementClient
from auth0.management.core.api_error import ApiError
from auth0.management.errors import BadRequestError, ConflictError, ForbiddenError, NotFoundError

from promises import check, refused, secret

DATABASE = "Username-Password-Authentication"
PASSWORD = "Correct horse of Python 8"
TICKET_PASSWORD = "Correct horse of a ticket 9"
TIMEOUT_SECONDS = 15
SETTLE_SECONDS = 30


def check_resources(house):
    if not house["https"]:
        print("      not run, needs `dev --https`: auth0-python (ManagementClient), users and all else")
        return
    secret(PASSWORD)
    own = {name: house["management"][name] for name in ("client_id", "client_secret")}
    api = ManagementClient(domain=house["domain"], **own, timeout=TIMEOUT_SECONDS)
    check("ManagementClient: the life of a user, found by q and by address", lambda: user(house, api))
    check("ManagementClient: logins, active users and blocks of a user", lambda: logins(house, api))
    check("ManagementClient: roles, their permissions and users", lambda: roles(house, api))
    check("ManagementClient: connections, their applications and password policy", lambda: connections(house, api))
    check("ManagementClient: the log, searched and read", lambda: logs(house, api))
    check("ManagementClient: signing keys, tenant settings, attack protection", lambda: settings(api))
    check("ManagementClient: users in from a file, and out to one", lambda: jobs(api))
    check("ManagementClient: tickets, and the pages that they lead to", lambda: tickets(house, api))
    check("ManagementClient: what users have not got here is empty, or says what to do", lambda: nothing(api))


def made(api, email, **more):
    return api.users.create(connection=DATABASE, email=email, password=PASSWORD, **more)


def user(house, api):
    one = made(api, "python.sdk@example.com", user_metadata={"a": 1, "b": 2}, app_metadata={"plan": "free"})
    assert one.user_id.startswith("auth0|") and one.picture == f"{house['issuer']}avatars/py.svg", one.picture
    changed = api.users.update(one.user_id, user_metadata={"a": None, "c": 3}, given_name="Python")
    assert (changed.user_metadata, changed.given_name) == ({"b": 2, "c": 3}, "Python"), changed.user_metadata
    assert api.users.get(one.user_id).app_metadata == {"plan": "free"}, "app_metadata"
    found = api.users.list_users_by_email(email="PYTHON.sdk@example.com")
    assert [found_one.user_id for found_one in found] == [one.user_id], "by address"
    more = [made(api, f"{name}@python.example.com") for name in "abcde"]
    listed = api.users.list(q="email:*@python.example.com", search_engine="v3", sort="email:-1", per_page=2)
    assert [found_one.email[0] for found_one in listed] == list("edcba"), "by q, two a page"
    refused(lambda: made(api, "a@python.example.com"), ConflictError, status_code=409)
    for other in [one, *more]:
        api.users.delete(other.user_id)
    refused(lambda: api.users.get(one.user_id), NotFoundError, status_code=404)


def logins(house, api):
    one = made(api, "login@python.example.com")
    assert sign_in(house, one.email, PASSWORD) == 200, "the first login"
    deadline = time.monotonic() + SETTLE_SECONDS
    while api.users.get(one.user_id).logins_count != 1:
        assert time.monotonic() < deadline, "the login was not counted"
        time.sleep(0.1)
    assert api.users.get(one.user_id).last_ip in ("127.0.0.1", "::1"), "last_ip"
    assert api.stats.get_active_users_count() >= 1, "active users"
    assert api.stats.get_daily()[-1].logins >= 1, "daily"
    statuses = [sign_in(house, one.email, "wrong") for _ in range(20)]
    assert statuses[-1] == 429, statuses
    assert api.user_blocks.list(one.user_id).blocked_for[0].identifier == one.email, "blocked"
    assert api.user_blocks.list_by_identifier(identifier=one.email).blocked_for, "by identifier"
    api.user_blocks.delete(one.user_id)
    assert sign_in(house, one.email, PASSWORD) == 200, "after the block"
    api.users.update(one.user_id, blocked=True)
    assert sign_in(house, one.email, PASSWORD) == 403, "blocked by an administrator"
    api.users.delete(one.user_id)


def roles(house, api):
    role = api.roles.create(name="By Python", description="One")
    assert api.roles.update(role.id, description="Two").description == "Two", "description"
    assert [one.id for one in api.roles.list(name_filter="python")] == [role.id], "name_filter"
    permission = {"resource_server_identifier": house["audience"], "permission_name": "read:messages"}
    api.roles.permissions.add(role.id, permissions=[permission])
    assert [one.permission_name for one in api.roles.permissions.list(role.id)] == ["read:messages"], "of the role"
    one = made(api, "role@python.example.com")
    api.users.roles.assign(one.user_id, roles=[role.id])
    assert [member.user_id for member in api.roles.users.list(role.id)] == [one.user_id], "members"
    assert [held.id for held in api.users.roles.list(one.user_id)] == [role.id], "roles of the user"
    api.users.permissions.create(one.user_id, permissions=[permission])
    (held,) = api.users.permissions.list(one.user_id)
    assert [source["source_type"] for source in held.sources] == ["DIRECT", "ROLE"], held.sources
    api.users.permissions.delete(one.user_id, permissions=[permission])
    api.users.roles.delete(one.user_id, roles=[role.id])
    api.roles.permissions.delete(role.id, permissions=[permission])
    assert list(api.users.permissions.list(one.user_id)) == [], "none left"
    api.roles.delete(role.id)
    refused(lambda: api.roles.get(role.id), NotFoundError, status_code=404)
    api.users.delete(one.user_id)


def connections(house, api):
    client_id = house["applications"]["password"]["client_id"]
    one = api.connections.create(
        name="By-Python", strategy="auth0", options={"passwordPolicy": "excellent"}, enabled_clients=[client_id]
    )
    assert one.id.startswith("con_") and one.name == "By-Python", one.id
    enabled = lambda: [client.client_id for client in api.connections.clients.get(one.id)]
    assert enabled() == [client_id], "enabled at once"
    api.connections.clients.update(one.id, request=[{"client_id": client_id, "status": False}])
    assert enabled() == [], "enabled no more"
    person = {"connection": "By-Python", "email": "in@by-python.example.com"}
    refused(lambda: api.users.create(**person, password="weak"), BadRequestError, status_code=400)
    api.connections.update(one.id, options={"passwordPolicy": "none"})
    inside = api.users.create(**person, password="weak")
    names = sorted(listed.name for listed in api.connections.list(strategy=["auth0"]))
    assert names == ["By-Python", DATABASE], names
    api.connections.delete(one.id)
    refused(lambda: api.connections.get(one.id), NotFoundError, status_code=404)
    refused(lambda: api.users.get(inside.user_id), NotFoundError, status_code=404)


def logs(house, api):
    one = made(api, "log@python.example.com")
    assert sign_in(house, one.email, PASSWORD) == 200, "login"
    of_user = list(api.users.logs.list(one.user_id))
    assert [line.type for line in of_user] == ["sepft", "sapi"], [line.type for line in of_user]
    assert api.logs.get(of_user[0].log_id).user_name == one.email, "user_name"
    found = list(api.logs.list(search=f'type:sepft AND user_id:"{one.user_id}"', per_page=5))
    assert [line.log_id for line in found] == [of_user[0].log_id], "searched"
    api.users.delete(one.user_id)


def settings(api):
    (current,) = [key for key in api.keys.signing.list() if key.current]
    assert api.keys.signing.get(current.kid).cert == current.cert, "cert"
    refused(lambda: api.keys.signing.revoke(current.kid), ApiError, status_code=400)
    before = api.tenants.settings.get()
    assert api.tenants.settings.update(friendly_name="By Python").friendly_name == "By Python", "friendly_name"
    api.tenants.settings.update(friendly_name=before.friendly_name or "")
    brute = api.attack_protection.brute_force_protection
    old = brute.get().max_attempts
    assert brute.update(max_attempts=9).max_attempts == 9, "max_attempts"
    assert brute.update(max_attempts=old).max_attempts == old, "and back"


def jobs(api):
    connection = next(one for one in api.connections.list(name=DATABASE))
    users = json.dumps([{"email": "one@jobs.python.example.com"}, {"email": "no address"}])
    made_job = api.jobs.users_imports.create(users=("users.json", users), connection_id=connection.id)
    assert (made_job.type, made_job.status) == ("users_import", "pending"), made_job
    done = api.jobs.get(made_job.id)
    assert (done.status, done.summary.inserted, done.summary.failed) == ("completed", 1, 1), done
    wanted = api.jobs.users_exports.create(connection_id=connection.id, format="json", limit=1000)
    location = api.jobs.get(wanted.id).location
    secret(location.partition("ticket=")[2])
    lines = requests.get(location, timeout=TIMEOUT_SECONDS).text.splitlines()
    assert "one@jobs.python.example.com" in [json.loads(line).get("email") for line in lines], lines
    (user,) = api.users.list_users_by_email(email="one@jobs.python.example.com")
    api.users.delete(user.user_id)
    mail = lambda: api.jobs.verification_email.create(user_id=user.user_id)
    refused(mail, ForbiddenError, status_code=403)


def tickets(house, api):
    secret(TICKET_PASSWORD)
    one = made(api, "ticket@python.example.com")
    result_url = "https://app.example.com/done"
    link = api.tickets.verify_email(user_id=one.user_id, result_url=result_url, include_email_in_redirect=True).ticket
    secret(link.partition("ticket=")[2].rstrip("#"))
    for success in ("true", "false"):
        answer = requests.get(link, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        url = urlsplit(answer.headers["location"])
        said = parse_qs(url.query)
        assert (answer.status_code, said["success"]) == (302, [success]), url
        assert said.get("email") == ([one.email] if success == "true" else None), url
    assert api.users.get(one.user_id).email_verified is True, "email_verified"
    made_ticket = api.tickets.change_password(user_id=one.user_id, ttl_sec=60, mark_email_as_verified=True).ticket
    page, _, ticket = made_ticket.rstrip("#").partition("?ticket=")
    form = {"ticket": secret(ticket), "password": TICKET_PASSWORD, "again": TICKET_PASSWORD}
    for status in (200, 410):
        assert requests.post(page, data=form, timeout=TIMEOUT_SECONDS).status_code == status, status
    assert sign_in(house, one.email, TICKET_PASSWORD) == 200, "the new password"
    api.users.delete(one.user_id)


def nothing(api):
    nobody = "auth0|nobody"
    for empty in (
        api.device_credentials.list(user_id=nobody),
        api.user_grants.list(user_id=nobody),
        api.users.sessions.list(nobody),
        api.users.refresh_token.list(nobody),
    ):
        assert list(empty) == [], empty
    api.user_grants.delete_by_user_id(user_id=nobody)
    refused(lambda: api.tickets.change_password(user_id=nobody), NotFoundError, status_code=404)
    refused(lambda: api.tickets.verify_email(user_id=nobody), NotFoundError, status_code=404)


def sign_in(house, username, password):
    body = {"grant_type": "password", "username": username, "password": password, **house["applications"]["password"]}
    answer = requests.post(house["token_url"], data=body, timeout=TIMEOUT_SECONDS)
    if answer.status_code == 200:
        secret(answer.json()["access_token"])
    return answer.status_code
