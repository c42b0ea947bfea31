// Auth0's own SDK for the Management API, `auth0` (ManagementClient): the life of what can be configured, and its pages.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";

import { Management, ManagementClient, ManagementError } from "auth0";

import { check, secret } from "../../quickstart/check.mjs";
import { fetchToken } from "./express.mjs";
import { refused } from "./refused.mjs";

const MANY = 1_000;
const SOME = 120;
const AT_ONCE = 16;

export async function checkManagement(house) {
  if (!house.https) {
    console.log("      not run, needs `dev --https`: auth0 (ManagementClient)");
    return;
  }
  const { client_id: clientId, client_secret: clientSecret } = house.management;
  const api = new ManagementClient({ domain: house.domain, clientId, clientSecret });
  const application = await checkClients(house, api);
  await checkCredentials(api, application.client_id);
  await checkResourceServers(api);
  await checkClientGrants(house, api, application);
  await checkRefusals(house, api);
  await checkPages(api);
}

async function checkClients(house, api) {
  const app = await check("ManagementClient: clients.create, with Auth0's defaults", async () => {
    const app = await api.clients.create({ name: "By SDK", app_type: "non_interactive", client_metadata: { a: "1", b: "2" } });
    secret(app.client_secret);
    assert.match(app.client_id, /^[A-Za-z0-9]{32}$/);
    assert.equal(app.is_first_party, true);
    assert.deepEqual(app.jwt_configuration, { lifetime_in_seconds: 36000, secret_encoded: false });
    assert.deepEqual(await api.clients.get(app.client_id), app);
    return app;
  });
  const id = app.client_id;
  await check("ManagementClient: clients.update merges metadata, and null deletes", async () => {
    const change = { description: "Changed", callbacks: ["https://app.example.com/cb"], client_metadata: { a: null, c: "3" } };
    const changed = await api.clients.update(id, change);
    assert.deepEqual(changed.client_metadata, { b: "2", c: "3" });
    assert.deepEqual(changed.callbacks, change.callbacks);
    const quota = { client_credentials: { per_hour: 10, enforce: false } };
    assert.deepEqual((await api.clients.update(id, { token_quota: quota })).token_quota, quota);
    assert.ok(!("token_quota" in (await api.clients.update(id, { token_quota: null }))), "null left token_quota");
  });
  await check("ManagementClient: clients.get with fields", async () => {
    const some = await api.clients.get(id, { fields: "client_id,name", include_fields: true });
    assert.equal(some.name, "By SDK");
    assert.ok(!("callbacks" in some) && !("client_secret" in some), Object.keys(some).join());
  });
  await check("ManagementClient: clients.list, filtered by app_type", async () => {
    const found = await collect(await api.clients.list({ app_type: "non_interactive,native", is_global: false }));
    assert.ok(found.some((one) => one.client_id === id), "it is not listed");
    assert.ok(found.every((one) => ["non_interactive", "native"].includes(one.app_type)), "others are listed");
  });
  await check("ManagementClient: clients.list, is_global, is one", async () => {
    const found = await collect(await api.clients.list({ is_global: true }));
    assert.deepEqual(found.map((one) => [one.name, one.global]), [["All Applications", true]]);
  });
  const rotated = await check("ManagementClient: clients.rotateSecret, and the old secret is refused", async () => {
    const audience = house.audience;
    await api.clientGrants.create({ client_id: id, audience, scope: ["read:messages"] });
    await fetchToken(house, { client_id: id, client_secret: app.client_secret, audience });
    const rotated = await api.clients.rotateSecret(id);
    assert.notEqual(secret(rotated.client_secret), app.client_secret);
    await fetchToken(house, { client_id: id, client_secret: rotated.client_secret, audience });
    await assert.rejects(fetchToken(house, { client_id: id, client_secret: app.client_secret, audience }), /answered 401/);
    return rotated;
  });
  return rotated ?? app;
}

async function checkCredentials(api, id) {
  await check("ManagementClient: clients.credentials, and private_key_jwt with them and back", async () => {
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pem = publicKey.export({ type: "spki", format: "pem" });
    const made = await api.clients.credentials.create(id, { credential_type: "public_key", name: "Key", pem, alg: "RS256" });
    assert.match(made.id, /^cred_/);
    assert.deepEqual((await api.clients.credentials.list(id)).map((one) => one.id), [made.id]);
    const by_key = { private_key_jwt: { credentials: [{ id: made.id }] } };
    const keyed = await api.clients.update(id, { client_authentication_methods: by_key, token_endpoint_auth_method: null });
    assert.deepEqual(keyed.client_authentication_methods, by_key);
    assert.ok(!("client_secret" in keyed), "the secret is shown");
    const expires_at = "2040-01-01T00:00:00.000Z";
    assert.equal((await api.clients.credentials.update(id, made.id, { expires_at })).expires_at, expires_at);
    assert.equal((await api.clients.credentials.get(id, made.id)).kid, made.kid);
    const back = { client_authentication_methods: null, token_endpoint_auth_method: "client_secret_post" };
    assert.ok(!("client_authentication_methods" in (await api.clients.update(id, back))));
    await api.clients.credentials.delete(id, made.id);
    assert.deepEqual(await api.clients.credentials.list(id), []);
  });
}

async function checkResourceServers(api) {
  const identifier = "https://by-sdk.example.com/v1/a b";
  await check("ManagementClient: resourceServers, by id and by identifier", async () => {
    const made = await api.resourceServers.create({ identifier, name: "By SDK", scopes: [{ value: "read:a" }] });
    assert.equal(made.signing_alg, "RS256");
    assert.equal(made.token_lifetime, 86400);
    assert.deepEqual(await api.resourceServers.get(made.id), made);
    assert.deepEqual(await api.resourceServers.get(identifier), made);
    const scopes = [{ value: "write:a", description: "Write" }, { value: "read:a" }];
    const changed = await api.resourceServers.update(identifier, { scopes, token_lifetime: 600, token_lifetime_for_web: 60 });
    assert.deepEqual(changed.scopes, scopes);
    assert.equal(changed.token_lifetime, 600);
    const listed = await collect(await api.resourceServers.list({ identifiers: [identifier] }));
    assert.deepEqual(listed.map((one) => one.id), [made.id]);
    await api.resourceServers.delete(identifier);
    const gone = api.resourceServers.get(made.id);
    await refused(gone, Management.NotFoundError, { "body.errorCode": "inexistent_resource_server" });
  });
  await check("ManagementClient: resourceServers.list, the system one among them, which cannot be deleted", async () => {
    const system = (await collect(await api.resourceServers.list())).find((one) => one.is_system);
    assert.equal(system?.name, "Auth0 Management API");
    const deleted = await api.resourceServers.delete(system.id).then(() => null, (error) => error);
    assert.ok(deleted instanceof ManagementError && [400, 403].includes(deleted.statusCode), String(deleted));
  });
}

async function checkClientGrants(house, api, { client_id, client_secret }) {
  const { audience } = house;
  await check("ManagementClient: clientGrants, and tokens follow them at once", async () => {
    const [first, ...more] = await collect(await api.clientGrants.list({ client_id, audience }));
    assert.deepEqual([first.scope, first.subject_type, more], [["read:messages"], "client", []]);
    await api.clientGrants.update(first.id, { scope: ["read:messages", "write:messages"] });
    await fetchToken(house, { client_id, client_secret, audience, scope: "write:messages" });
    assert.equal((await api.clientGrants.get(first.id)).scope.length, 2);
    const again = api.clientGrants.create({ client_id, audience, scope: [] });
    await refused(again, Management.ConflictError, { statusCode: 409 });
    await api.clientGrants.delete(first.id);
    await assert.rejects(fetchToken(house, { client_id, client_secret, audience }), /answered 403/);
  });
  await check("ManagementClient: clients.delete, and its id is unknown", async () => {
    await api.clients.delete(client_id);
    const gone = api.clients.get(client_id);
    await refused(gone, Management.NotFoundError, { statusCode: 404, "body.errorCode": "inexistent_client" });
    await assert.rejects(fetchToken(house, { client_id, client_secret, audience }), /answered 401/);
  });
}

async function checkRefusals(house, api) {
  const { domain, audience, applications } = house;
  await check("ManagementClient: a body without its name is BadRequestError invalid_body", () =>
    refused(api.clients.create({}), Management.BadRequestError, {
      "body.errorCode": "invalid_body",
      "body.message": "Payload validation error: 'Missing required property: name'.",
    }));
  await check("ManagementClient: another API's token is UnauthorizedError", async () => {
    const token = await fetchToken(house, { ...applications.sample, audience });
    const other = new ManagementClient({ domain, token });
    await refused(other.clients.list(), Management.UnauthorizedError, { statusCode: 401 });
  });
  await check("ManagementClient: a token without the scope is ForbiddenError, which names it", async () => {
    const app = await api.clients.create({ name: "Reads clients", app_type: "non_interactive" });
    const grant = { client_id: app.client_id, audience: house.management.audience, scope: ["read:clients"] };
    await api.clientGrants.create(grant);
    const reader = new ManagementClient({ domain, clientId: app.client_id, clientSecret: secret(app.client_secret) });
    assert.ok(!("client_secret" in (await reader.clients.get(app.client_id))), "a secret without read:client_keys");
    await refused(reader.clients.delete(app.client_id), Management.ForbiddenError, {
      "body.errorCode": "insufficient_scope",
      "body.message": "Insufficient scope, expected any of: delete:clients",
    });
  });
}

async function checkPages(api) {
  const made = [];
  await check(`ManagementClient: ${MANY} clients are created, ${AT_ONCE} at a time`, () =>
    atOnce(MANY, async (number) => {
      const app = await api.clients.create({ name: `One of many ${number}`, app_type: "non_interactive" });
      secret(app.client_secret);
      made.push(app.client_id);
    }));
  for (const per_page of [undefined, 100]) {
    await check(`ManagementClient: clients.list iterates over them, per_page ${per_page ?? "not said"}`, async () => {
      const page = await api.clients.list({ per_page, fields: "client_id" });
      const found = (await collect(page)).map((one) => one.client_id);
      assert.equal(page.response.total, found.length);
      sameOnce(found, made);
    });
  }
  await check(`ManagementClient: clientGrants.list follows its checkpoints over ${SOME}`, async () => {
    const { id, identifier: audience } = await api.resourceServers.create({ identifier: "urn:many", scopes: [{ value: "a" }] });
    const grants = [];
    await atOnce(SOME, async (number) => {
      const grant = { client_id: made[number], audience, scope: ["a"] };
      grants.push((await api.clientGrants.create(grant)).id);
    });
    const found = (await collect(await api.clientGrants.list({ audience }))).map((one) => one.id);
    assert.equal(found.length, SOME);
    sameOnce(found, grants);
    await api.resourceServers.delete(id);
    assert.deepEqual(await collect(await api.clientGrants.list({ audience })), [], "its grants went with the API");
  });
}

/** Every one of `wanted` was found, and nothing twice. */
function sameOnce(found, wanted) {
  const seen = new Set(found);
  assert.equal(seen.size, found.length, "something is listed twice");
  assert.deepEqual(wanted.filter((one) => !seen.has(one)), [], "something is not listed");
}

async function collect(pages) {
  const all = [];
  for await (const one of pages) all.push(one);
  return all;
}

async function atOnce(count, body) {
  let next = 0;
  const worker = async () => {
    while (next < count) await body(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
