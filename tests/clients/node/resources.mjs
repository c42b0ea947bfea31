// Auth0's own SDK for the Management API, `auth0` (ManagementClient): the life of everything but applications and APIs,
// which management.mjs has: users, roles, connections, the log, keys, settings, and what users have not got here.

import assert from "node:assert/strict";

import { Management, ManagementClient, ManagementError } from "auth0";

import { check, secret } from "../../quickstart/check.mjs";
import { until } from "../../quickstart/house.mjs";
import { refused } from "./refused.mjs";

const DATABASE = "Username-Password-Authentication";
const PASSWORD = secret("Correct horse of the SDK 7");
const TICKET_PASSWORD = secret("Correct horse of a ticket 8");
const SETTLE_MS = 30_000;

export async function checkResources(house) {
  if (!house.https) {
    console.log("      not run, needs `dev --https`: auth0 (ManagementClient), users and all else");
    return;
  }
  const { client_id: clientId, client_secret: clientSecret } = house.management;
  const api = new ManagementClient({ domain: house.domain, clientId, clientSecret });
  await checkUsers(house, api);
  await checkRoles(house, api);
  await checkConnections(house, api);
  await checkLogs(house, api);
  await checkKeys(api);
  await checkSettings(api);
  await checkJobs(api);
  await checkTickets(house, api);
  await checkNothing(api);
}

async function checkUsers(house, api) {
  const email = "node.sdk@example.com";
  const user = await check("ManagementClient: users.create, get, update, listUsersByEmail", async () => {
    const metadata = { app_metadata: { plan: "free" }, user_metadata: { a: 1, b: 2 } };
    const made = await api.users.create({ connection: DATABASE, email, password: PASSWORD, ...metadata });
    assert.match(made.user_id, /^auth0\|[0-9a-f]{24}$/);
    assert.equal(made.picture, `${house.issuer}avatars/no.svg`);
    assert.deepEqual(await api.users.get(made.user_id), made);
    const change = { user_metadata: { a: null, c: 3 }, given_name: "Node", email_verified: true };
    const changed = await api.users.update(made.user_id, change);
    assert.deepEqual([changed.user_metadata, changed.given_name, changed.email_verified], [{ b: 2, c: 3 }, "Node", true]);
    const found = await api.users.listUsersByEmail({ email: email.toUpperCase() });
    assert.deepEqual(found.map((one) => one.user_id), [made.user_id]);
    return made;
  });
  if (!user) return;
  const id = user.user_id;
  await check("ManagementClient: users.list by q, and its pages", async () => {
    const some = await Promise.all(
      ["a", "b", "c", "d", "e"].map((name) =>
        api.users.create({ connection: DATABASE, username: `node-${name}`, email: `${name}@node.example.com`, password: PASSWORD }),
      ),
    );
    const found = await collect(await api.users.list({ q: 'email:*@node.example.com', search_engine: "v3", per_page: 2, sort: "email:1" }));
    assert.deepEqual(found.map((one) => one.username), ["node-a", "node-b", "node-c", "node-d", "node-e"]);
    const exact = await collect(await api.users.list({ q: `user_id:"${id}"` }));
    assert.deepEqual(exact.map((one) => one.email), [email]);
    for (const one of some) await api.users.delete(one.user_id);
  });
  await check("ManagementClient: users.list counts a login, stats.getActiveUsersCount and getDaily too", async () => {
    assert.equal((await signIn(house, email, PASSWORD)).status, 200);
    const seen = async () => (await api.users.get(id)).logins_count === 1;
    await until("the login to be counted", SETTLE_MS, seen);
    const { last_login, last_ip } = await api.users.get(id);
    assert.ok(Math.abs(Date.now() - Date.parse(last_login)) < 60_000, last_login);
    assert.ok(["127.0.0.1", "::1"].includes(last_ip), last_ip);
    assert.ok((await api.stats.getActiveUsersCount()) >= 1, "nobody is active");
    const [today] = (await api.stats.getDaily()).slice(-1);
    assert.ok(today.logins >= 1, "no login today");
  });
  await check("ManagementClient: userBlocks, by the user and by identifier, and anomaly.blocks", async () => {
    assert.deepEqual((await api.userBlocks.list(id)).blocked_for, []);
    let status = 403;
    for (let tries = 0; tries < 20 && status === 403; tries += 1) status = (await signIn(house, email, "wrong")).status;
    assert.equal(status, 429, "twenty failures and no block");
    const { blocked_for } = await api.userBlocks.list(id);
    assert.equal(blocked_for[0].identifier, email);
    assert.deepEqual((await api.userBlocks.listByIdentifier({ identifier: email })).blocked_for, blocked_for);
    await api.userBlocks.deleteByIdentifier({ identifier: email });
    assert.equal((await signIn(house, email, PASSWORD)).status, 200);
    await api.userBlocks.delete(id);
    await refused(api.anomaly.blocks.checkIp("192.0.2.9"), ManagementError, { statusCode: 404 });
    await api.anomaly.blocks.unblockIp("192.0.2.9");
  });
  await check("ManagementClient: users.delete, and what does not fit is refused", async () => {
    const again = api.users.create({ connection: DATABASE, email, password: PASSWORD });
    await refused(again, Management.ConflictError, { "body.message": "The user already exists." });
    const both = api.users.update(id, { email: "x@example.com", username: "x" });
    await refused(both, Management.BadRequestError, { "body.errorCode": "invalid_body" });
    await api.users.delete(id);
    await refused(api.users.get(id), Management.NotFoundError, { "body.errorCode": "inexistent_user" });
    assert.equal((await signIn(house, email, PASSWORD)).status, 403);
  });
}

async function checkRoles(house, api) {
  await check("ManagementClient: roles, their permissions and users, and users' own", async () => {
    const role = await api.roles.create({ name: "By SDK", description: "One" });
    assert.match(role.id, /^rol_/);
    await api.roles.update(role.id, { description: "Two" });
    assert.equal((await api.roles.get(role.id)).description, "Two");
    const named = await collect(await api.roles.list({ name_filter: "by sdk" }));
    assert.deepEqual(named.map((one) => one.id), [role.id]);
    const permissions = [{ resource_server_identifier: house.audience, permission_name: "read:messages" }];
    await api.roles.permissions.add(role.id, { permissions });
    const held = await collect(await api.roles.permissions.list(role.id));
    assert.deepEqual(held.map((one) => [one.permission_name, one.resource_server_name]), [["read:messages", "Sample API"]]);
    const user = await api.users.create({ connection: DATABASE, email: "role@node.example.com", password: PASSWORD });
    const id = user.user_id;
    await api.roles.users.assign(role.id, { users: [id] });
    assert.deepEqual((await collect(await api.roles.users.list(role.id))).map((one) => one.user_id), [id]);
    assert.deepEqual((await collect(await api.users.roles.list(id))).map((one) => one.id), [role.id]);
    const [through] = await collect(await api.users.permissions.list(id));
    assert.equal(through.sources[0].source_type, "ROLE");
    await api.users.roles.delete(id, { roles: [role.id] });
    await api.users.roles.assign(id, { roles: [role.id] });
    await api.users.permissions.create(id, { permissions });
    const [both] = await collect(await api.users.permissions.list(id));
    assert.deepEqual(both.sources.map((one) => one.source_type), ["DIRECT", "ROLE"]);
    await api.users.permissions.delete(id, { permissions });
    await api.roles.permissions.delete(role.id, { permissions });
    assert.deepEqual(await collect(await api.users.permissions.list(id)), []);
    await api.roles.delete(role.id);
    await refused(api.roles.get(role.id), Management.NotFoundError, { statusCode: 404 });
    await api.users.delete(id);
  });
}

async function checkConnections(house, api) {
  await check("ManagementClient: connections, their applications, users and password policy", async () => {
    const { client_id } = house.applications.password;
    const options = { passwordPolicy: "excellent", brute_force_protection: true };
    const made = await api.connections.create({ name: "By-SDK", strategy: "auth0", options, enabled_clients: [client_id] });
    assert.match(made.id, /^con_/);
    assert.equal((await api.connections.get(made.id)).options.passwordPolicy, "excellent");
    await api.connections.checkStatus(made.id);
    const listed = await collect(await api.connections.list({ strategy: ["auth0"] }));
    assert.deepEqual(listed.map((one) => one.name).sort(), ["By-SDK", DATABASE]);
    const open = async () => (await collect(await api.connections.clients.get(made.id))).map((one) => one.client_id);
    assert.deepEqual(await open(), [client_id]);
    await api.connections.clients.update(made.id, [{ client_id, status: false }]);
    assert.deepEqual(await open(), []);
    const user = { connection: "By-SDK", email: "in@by-sdk.example.com" };
    const weak = api.users.create({ ...user, password: "weak" });
    await refused(weak, Management.BadRequestError, { "body.message": /^PasswordStrengthError: Password is too weak/ });
    await api.connections.update(made.id, { options: { passwordPolicy: "none" } });
    const { user_id } = await api.users.create({ ...user, password: "weak" });
    await api.connections.users.deleteByEmail(made.id, { email: user.email });
    await refused(api.users.get(user_id), Management.NotFoundError, { statusCode: 404 });
    const other = api.connections.create({ name: "Elsewhere", strategy: "google-oauth2" });
    await refused(other, Management.BadRequestError, { "body.message": /strategy/ });
    await api.connections.delete(made.id);
    await refused(api.connections.get(made.id), Management.NotFoundError, { "body.errorCode": "inexistent_connection" });
  });
}

async function checkLogs(house, api) {
  await check("ManagementClient: logs.list, searched and followed, logs.get, users.logs.list", async () => {
    const user = await api.users.create({ connection: DATABASE, email: "log@node.example.com", password: PASSWORD });
    await signIn(house, "log@node.example.com", PASSWORD);
    const of_user = await collect(await api.users.logs.list(user.user_id));
    assert.deepEqual(of_user.map((one) => one.type), ["sepft", "sapi"]);
    const found = await collect(await api.logs.list({ search: `type:sepft AND user_id:"${user.user_id}"`, per_page: 5 }));
    assert.deepEqual(found.map((one) => one.log_id), [of_user[0].log_id]);
    assert.equal((await api.logs.get(found[0].log_id)).user_name, "log@node.example.com");
    await api.users.delete(user.user_id);
  });
}

async function checkKeys(api) {
  await check("ManagementClient: keys.signing.list, get, rotate and revoke", async () => {
    const before = await api.keys.signing.list();
    const current = before.find((one) => one.current);
    assert.match(current.cert, /^-----BEGIN CERTIFICATE-----/);
    assert.equal((await api.keys.signing.get(current.kid)).kid, current.kid);
    const rotated = api.keys.signing.rotate();
    const outcome = await rotated.then(() => "rotated", (error) => error);
    if (outcome !== "rotated") {
      // The next key has been public for less than the key set may be kept: rotating would refuse valid tokens.
      assert.equal(outcome.statusCode, 400);
      assert.match(outcome.body.message, /next key/i);
    }
    const revoked = api.keys.signing.revoke((await api.keys.signing.list()).find((one) => one.current).kid);
    await refused(revoked, ManagementError, { statusCode: 400, "body.message": /^Only a previous key can be revoked/ });
  });
}

async function checkSettings(api) {
  await check("ManagementClient: tenants.settings and attackProtection, as they were written", async () => {
    const before = await api.tenants.settings.get();
    const changed = await api.tenants.settings.update({ friendly_name: "By SDK", flags: { enable_sso: true } });
    assert.equal(changed.friendly_name, "By SDK");
    assert.deepEqual(changed.flags, { ...before.flags, enable_sso: true });
    const { bruteForceProtection, suspiciousIpThrottling, breachedPasswordDetection } = api.attackProtection;
    const brute = await bruteForceProtection.get();
    assert.equal((await bruteForceProtection.update({ max_attempts: 7 })).max_attempts, 7);
    assert.deepEqual(await bruteForceProtection.update({ max_attempts: brute.max_attempts }), brute);
    const address = await suspiciousIpThrottling.update({ allowlist: ["192.0.2.1"] });
    assert.deepEqual(address.allowlist, ["192.0.2.1"]);
    await suspiciousIpThrottling.update({ allowlist: [] });
    const breached = await breachedPasswordDetection.get();
    assert.deepEqual(await breachedPasswordDetection.update({ enabled: breached.enabled }), breached);
    await api.tenants.settings.update({ friendly_name: before.friendly_name ?? "", flags: { enable_sso: before.flags.enable_sso ?? false } });
  });
}

/** Users in from a file, and out to one. */
async function checkJobs(api) {
  await check("ManagementClient: jobs.usersImports and usersExports, and the file that they lead to", async () => {
    const { data: [{ id: connection_id }] } = await api.connections.list({ name: DATABASE });
    const users = new Blob([JSON.stringify([{ email: "one@jobs.example.com" }, { email: "no address" }])], { type: "application/json" });
    const made = await api.jobs.usersImports.create({ users, connection_id, external_id: "node" });
    assert.deepEqual([made.type, made.status], ["users_import", "pending"]);
    const done = await api.jobs.get(made.id);
    assert.deepEqual([done.status, done.summary.inserted, done.summary.failed], ["completed", 1, 1]);
    const [error] = await api.jobs.errors.get(made.id);
    assert.equal(error.errors[0].code, "INVALID_FORMAT");
    const fields = [{ name: "email", export_as: "Address" }, { name: "identities[0].connection", export_as: "From" }];
    const wanted = await api.jobs.usersExports.create({ connection_id, format: "csv", fields });
    const { location, status } = await api.jobs.get(wanted.id);
    assert.equal(status, "completed");
    secret(new URL(location).searchParams.get("ticket"));
    const file = await (await fetch(location, { signal: AbortSignal.timeout(15_000) })).text();
    assert.ok(file.startsWith("Address,From\r\n"), file);
    assert.ok(file.includes(`one@jobs.example.com,${DATABASE}\r\n`), file);
    const [user] = await api.users.listUsersByEmail({ email: "one@jobs.example.com" });
    await api.users.delete(user.user_id);
    const mail = api.jobs.verificationEmail.create({ user_id: user.user_id });
    await refused(mail, Management.ForbiddenError, { "body.errorCode": "operation_not_supported" });
  });
}

/** A password that is chosen and an address that is verified, by the links that tickets are. */
async function checkTickets(house, api) {
  await check("ManagementClient: tickets.verifyEmail and changePassword, and the pages that they lead to", async () => {
    const email = "ticket@node.example.com";
    const { user_id } = await api.users.create({ connection: DATABASE, email, password: PASSWORD });
    const result_url = "https://app.example.com/done";
    const { ticket: link } = await api.tickets.verifyEmail({ user_id, result_url, includeEmailInRedirect: true });
    secret(new URL(link).searchParams.get("ticket"));
    for (const success of ["true", "false"]) {
      const answer = await fetch(link, { redirect: "manual", signal: AbortSignal.timeout(15_000) });
      const { origin, pathname, searchParams } = new URL(answer.headers.get("location"));
      assert.deepEqual([answer.status, origin + pathname, searchParams.get("success")], [302, result_url, success]);
      assert.equal(searchParams.get("email"), success === "true" ? email : null);
    }
    assert.equal((await api.users.get(user_id)).email_verified, true);
    const { data: [{ id: connection_id }] } = await api.connections.list({ name: DATABASE });
    const { ticket } = await api.tickets.changePassword({ connection_id, email, ttl_sec: 60 });
    const page = new URL(ticket);
    const fields = { ticket: secret(page.searchParams.get("ticket")), password: TICKET_PASSWORD, again: TICKET_PASSWORD };
    page.search = page.hash = "";
    for (const status of [200, 410]) {
      const body = new URLSearchParams(fields);
      const answer = await fetch(page, { method: "POST", body, signal: AbortSignal.timeout(15_000) });
      assert.equal(answer.status, status);
    }
    assert.equal((await signIn(house, email, TICKET_PASSWORD)).status, 200);
    await api.users.delete(user_id);
  });
}

/** Kinds of which there are none: read as empty, refused with what to do instead, and nothing fails in between. */
async function checkNothing(api) {
  await check("ManagementClient: device credentials, grants, sessions, refresh tokens are none; nobody gets a ticket", async () => {
    const id = "auth0|nobody";
    assert.deepEqual(await collect(await api.deviceCredentials.list({ user_id: id })), []);
    assert.deepEqual(await collect(await api.userGrants.list({ user_id: id })), []);
    assert.deepEqual(await collect(await api.users.sessions.list(id)), []);
    assert.deepEqual(await collect(await api.users.refreshToken.list(id)), []);
    await api.userGrants.deleteByUserId({ user_id: id });
    await api.users.sessions.delete(id);
    await api.users.refreshToken.delete(id);
    await api.deviceCredentials.delete("dcr_nothing");
    for (const ask of [api.tickets.changePassword, api.tickets.verifyEmail]) {
      const asked = ask.call(api.tickets, { user_id: id });
      await refused(asked, Management.NotFoundError, { "body.errorCode": "inexistent_user" });
    }
  });
}

async function signIn(house, username, password) {
  const body = JSON.stringify({ grant_type: "password", username, password, ...house.applications.password });
  const options = { method: "POST", headers: { "content-type": "application/json" }, body, signal: AbortSignal.timeout(15_000) };
  const answer = await fetch(house.token_url, options);
  const { access_token } = await answer.json();
  if (access_token) secret(access_token);
  return answer;
}

async function collect(pages) {
  const all = [];
  for await (const one of pages) all.push(one);
  return all;
}
