// The token endpoint, discovery and the keys, as the quickstart's reader meets them (CONTRACT §1–§3).

import assert from "node:assert/strict";
import { createPublicKey, X509Certificate, verify } from "node:crypto";

import { check, secret } from "./check.mjs";
import { basic, decode, request } from "./http.mjs";

/** Gets tokens in every way the quickstart shows; answers them by the names that `checkApi` wants. */
export async function checkTokens({ issuer, token_url, audience, applications, user }) {
  const { sample, reader, stranger, password } = applications;
  const ask = (form) => request("POST", token_url, { json: { audience, ...form } });
  const machine = (client, more = {}) => ask({ grant_type: "client_credentials", ...client, ...more });
  const person = (more = {}) => ask({ grant_type: "password", ...user, ...password, ...more });
  const form = { grant_type: "client_credentials", audience };

  const full = await check("client credentials, JSON: 200, both scopes, 86 400 s", async () => {
    const { access_token, scope } = granted(await machine(sample));
    assert.deepEqual(scope.split(" ").sort(), ["read:messages", "write:messages"]);
    const { header, claims } = decode(access_token);
    assert.deepEqual([header.alg, header.typ, typeof header.kid], ["RS256", "JWT", "string"]);
    assert.equal(claims.iss, issuer);
    assert.equal(claims.sub, `${sample.client_id}@clients`);
    assert.deepEqual([claims.aud, claims.azp, claims.gty], [audience, sample.client_id, "client-credentials"]);
    assert.deepEqual([claims.scope, claims.exp - claims.iat], [scope, 86_400]);
    return access_token;
  });
  await check("client credentials, form, secret in the body: 200", async () => {
    granted(await request("POST", token_url, { form: { ...form, ...sample } }));
  });
  await check("client credentials, form, secret by Basic: 200", async () => {
    granted(await request("POST", token_url, { form, headers: basic(sample) }));
  });
  await check("client credentials, JSON, secret by Basic, null for absent: 200", async () => {
    granted(await request("POST", token_url, { json: { ...form, scope: null }, headers: basic(sample) }));
  });
  const readers = await check("'Sample reader' gets read:messages alone", async () => {
    const answer = granted(await machine(reader));
    assert.equal(answer.scope, "read:messages");
    return answer.access_token;
  });
  const write = await check("a scope that is asked for is the only one in the token", async () => {
    const answer = granted(await machine(sample, { scope: "write:messages" }));
    assert.equal(answer.scope, "write:messages");
    return answer.access_token;
  });
  const none = await check("'Sample stranger' gets a token without scope, in answer and claims", async () => {
    const answer = granted(await machine(stranger));
    assert.ok(!("scope" in answer) && !("scope" in decode(answer.access_token).claims));
    return answer.access_token;
  });
  const people = await check("password: 200, a user's token with the scope asked for", async () => {
    const answer = granted(await person({ scope: "read:messages" }));
    const { claims } = decode(answer.access_token);
    assert.deepEqual([answer.scope, claims.scope, claims.gty], ["read:messages", "read:messages", "password"]);
    assert.match(claims.sub, /^auth0\|[0-9a-f]{24}$/);
    return answer.access_token;
  });
  await check("password without a scope: every scope of the API", async () => {
    const { scope } = granted(await person());
    assert.deepEqual(scope.split(" ").sort(), ["read:messages", "write:messages"]);
  });
  const narrow = await check("password for write:messages alone: no read:messages", async () => {
    return granted(await person({ scope: "write:messages" })).access_token;
  });

  const wrong = { client_id: sample.client_id, client_secret: "not the secret" };
  const refusals = [
    ["a wrong secret", () => machine(wrong), 401, "access_denied"],
    ["an unknown client", () => machine({ ...wrong, client_id: "nobody" }), 401, "access_denied"],
    ["a wrong password", () => person({ password: "wrong" }), 403, "invalid_grant"],
    ["an unknown user", () => person({ username: "nobody@example.com" }), 403, "invalid_grant"],
    ["a scope outside the grant", () => machine(reader, { scope: "write:messages" }), 403, "access_denied"],
    ["an audience nobody registered", () => machine(sample, { audience: "https://elsewhere" }), 403, "access_denied"],
    ["an application without the grant", () => machine(password), 403, undefined],
    ["no grant_type", () => machine(sample, { grant_type: null }), 400, "invalid_request"],
  ];
  for (const [what, send, status, error] of refusals) {
    await check(`${what}: ${status}${error ? ` ${error}` : ""}, never cached, with a request id`, async () => {
      const response = await send();
      assert.equal(response.status, status, `status ${response.status}: ${response.text.slice(0, 300)}`);
      const body = response.json();
      if (error) assert.equal(body.error, error);
      assert.ok(body.error_description.length > 0);
      assert.equal(response.headers["content-type"], "application/json");
      assert.match(response.headers["cache-control"], /no-store/);
      assert.ok(response.headers["x-request-id"], "no X-Request-Id");
    });
  }
  await check("GET /oauth/token: 405 with Allow; another path: 404; another host: 421", async () => {
    const get = await request("GET", token_url);
    assert.equal(get.status, 405);
    assert.match(get.headers.allow, /POST/);
    const elsewhere = await request("GET", new URL("/elsewhere", issuer));
    assert.equal(elsewhere.status, 404);
    elsewhere.json();
    const host = await request("GET", new URL("/.well-known/jwks.json", issuer), { headers: { host: "example.org" } });
    assert.equal(host.status, 421);
  });
  return { full, readers, write, none, password: people, narrow };
}

/** Discovery names what there is, and the published keys verify the token. */
export async function checkKeys({ issuer, token_url, jwks_url }, token) {
  await check("discovery: 200, cacheable, for any origin, only what is implemented", async () => {
    const response = await request("GET", new URL(".well-known/openid-configuration", issuer));
    open(response);
    const document = response.json();
    const { token_endpoint, jwks_uri, authorization_endpoint } = document;
    assert.deepEqual([document.issuer, token_endpoint, jwks_uri], [issuer, token_url, jwks_url]);
    if (!authorization_endpoint) assert.deepEqual(document.response_types_supported, []);
    assert.ok(document.id_token_signing_alg_values_supported.includes("RS256"));
    const twin = await request("GET", new URL(".well-known/oauth-authorization-server", issuer));
    assert.equal(twin.text, response.text);
  });
  await check("keys: 200, cacheable, for any origin, and 304 when nothing changed", async () => {
    const response = await request("GET", jwks_url);
    open(response);
    const again = await request("GET", jwks_url, { headers: { "if-none-match": response.headers.etag } });
    assert.equal(again.status, 304);
    for (const key of response.json().keys) assert.ok(!("d" in key), "a private key is public");
  });
  await check("the published key verifies the token, and its certificate is the key's", async () => {
    const { keys } = (await request("GET", jwks_url)).json();
    const [signed, signature] = [token.slice(0, token.lastIndexOf(".")), token.slice(token.lastIndexOf(".") + 1)];
    const key = keys.find(({ kid }) => kid === decode(token).header.kid);
    const published = createPublicKey({ key, format: "jwk" });
    assert.ok(verify("RSA-SHA256", Buffer.from(signed), published, Buffer.from(signature, "base64url")));
    const certificate = new X509Certificate(Buffer.from(key.x5c[0], "base64"));
    assert.ok(certificate.publicKey.equals(published));
    assert.equal(key.x5t, Buffer.from(certificate.fingerprint.replaceAll(":", ""), "hex").toString("base64url"));
  });
  await check("healthz and readyz: 200", async () => {
    for (const route of ["/healthz", "/readyz"]) {
      assert.equal((await request("GET", new URL(route, issuer))).status, 200, route);
    }
  });
}

function granted(response) {
  assert.equal(response.status, 200, `status ${response.status}: ${response.text.slice(0, 300)}`);
  const body = response.json();
  secret(body.access_token);
  assert.equal(response.headers["content-type"], "application/json");
  assert.equal(response.headers["cache-control"], "no-store");
  assert.equal(response.headers.pragma, "no-cache");
  assert.deepEqual([body.token_type, body.expires_in], ["Bearer", 86_400]);
  assert.ok(!("refresh_token" in body));
  return body;
}

function open({ status, headers }) {
  assert.equal(status, 200);
  assert.equal(headers["access-control-allow-origin"], "*");
  assert.match(headers["cache-control"], /max-age=\d/);
  assert.ok(headers.etag, "no ETag");
}
