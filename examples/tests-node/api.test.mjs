// The API's promises, each kept against a real issuer.

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { decodeProtectedHeader } from "jose";

import { api } from "./api.mjs";
import { startDouble } from "./double.mjs";

let double;
let server;

before(async () => (double = await startDouble()));
after(() => double?.stop());

// The API is new for each test, so that each begins without keys.
beforeEach(async () => {
  server = api(double.issuer, double.audience).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await double.steer("DELETE", "state");
});

async function call(token) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  return (await fetch(`http://127.0.0.1:${server.address().port}/messages`, { headers })).status;
}

test("without a token: 401", async () => {
  assert.equal(await call(), 401);
});

test("without the scope: 403", async () => {
  assert.equal(await call(await double.token("Messenger", { scope: "write:messages" })), 403);
});

test("with both: 200", async () => {
  assert.equal(await call(await double.token("Messenger", { scope: "read:messages" })), 200);
});

for (const is of ["expired", "not_yet_valid", "wrong_audience", "wrong_issuer", "wrong_key", "unknown_key"]) {
  test(`a token with the fault ${is}: 401`, async () => {
    await double.steer("PUT", "faults/next_token", { is });
    assert.equal(await call(await double.token("Messenger")), 401);
  });
}

test("without the issuer's keys: 503, which blames no token", async () => {
  await double.steer("PUT", "faults/jwks", { status: 503 });
  assert.equal(await call(await double.token("Messenger")), 503);
});

test("a rotation refuses nobody", async () => {
  const old = await double.token("Messenger");
  assert.equal(await call(old), 200);
  await double.steer("POST", "rotate");
  const fresh = await double.token("Messenger");
  assert.notEqual(decodeProtectedHeader(fresh).kid, decodeProtectedHeader(old).kid);
  assert.equal(await call(fresh), 200);
  assert.equal(await call(old), 200);
});
