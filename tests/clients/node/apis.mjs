// What an API's author uses: jose, and an Express API behind express-oauth2-jwt-bearer.

import assert from "node:assert/strict";

import { auth, requiredScopes } from "express-oauth2-jwt-bearer";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

import { check } from "../../quickstart/check.mjs";
import { fetchToken, invalid, startApi } from "./express.mjs";
import { refused } from "./refused.mjs";

export async function checkApis(house) {
  const { audience, algorithms, applications } = house;
  const token = (app, of, more) => fetchToken(house, { ...app, audience: of, ...more });
  await checkJose(house, token);

  const full = await token(applications.sample, audience);
  const writer = await token(applications.sample, audience, { scope: "write:messages" });
  const elsewhere = await token(applications.algorithms, algorithms.ES256);
  await checkExpress("RS256", house, audience, "read:messages", { full, writer, elsewhere });
  for (const [algorithm, identifier] of Object.entries(algorithms)) {
    const full = await token(applications.algorithms, identifier);
    await checkExpress(algorithm, house, identifier, "read:reports", { full });
  }
}

async function checkJose({ issuer, jwks_url, audience, algorithms, applications }, token) {
  const keys = createRemoteJWKSet(new URL(jwks_url));
  const cases = [["RS256", audience, applications.sample]];
  for (const [algorithm, of] of Object.entries(algorithms)) cases.push([algorithm, of, applications.algorithms]);
  for (const [algorithm, of, app] of cases) {
    await check(`jose: createRemoteJWKSet and jwtVerify, ${algorithm}`, async () => {
      const demands = { issuer, audience: of, algorithms: [algorithm], typ: "JWT", requiredClaims: ["exp", "iat", "sub"] };
      const { payload, protectedHeader } = await jwtVerify(await token(app, of), keys, demands);
      assert.equal(protectedHeader.alg, algorithm);
      assert.equal(payload.sub, `${app.client_id}@clients`);
      assert.equal(payload.azp, app.client_id);
      assert.equal(payload.gty, "client-credentials");
    });
  }
  await check("jose: another API's token fails on its audience", async () => {
    const other = await token(applications.sample, audience);
    const verified = jwtVerify(other, keys, { issuer, audience: algorithms.ES256 });
    await refused(verified, errors.JWTClaimValidationFailed, { claim: "aud" });
  });
  await check("jose: an altered token fails on its signature", async () => {
    const verified = jwtVerify(altered(await token(applications.sample, audience)), keys, { issuer, audience });
    await refused(verified, errors.JWSSignatureVerificationFailed, {});
  });
}

async function checkExpress(name, { issuer }, audience, scope, tokens) {
  const { ask, close } = await startApi({
    "/private": [auth({ issuerBaseURL: issuer, audience })],
    "/scoped": [auth({ issuerBaseURL: issuer, audience }), requiredScopes(scope)],
  });
  const title = `express-oauth2-jwt-bearer, ${name}`;

  await check(`${title}: our token is accepted`, async () => {
    const answer = await ask("/private", `Bearer ${tokens.full}`);
    assert.equal(answer.status, 200, answer.text);
    assert.match(JSON.parse(answer.text).sub, /@clients$/);
  });
  await check(`${title}: so is its scope`, async () => {
    const answer = await ask("/scoped", `Bearer ${tokens.full}`);
    assert.equal(answer.status, 200, answer.text);
  });
  await check(`${title}: an altered token is 401 invalid_token`, async () => {
    invalid(await ask("/private", `Bearer ${altered(tokens.full)}`));
  });
  if (tokens.writer) {
    await check(`${title}: a token without the scope is its 403 insufficient_scope`, async () => {
      const answer = await ask("/scoped", `Bearer ${tokens.writer}`);
      assert.equal(answer.status, 403, answer.text);
      assert.match(answer.challenge, /error="insufficient_scope".*scope="read:messages"/);
    });
    await check(`${title}: another API's token is 401 invalid_token`, async () => {
      invalid(await ask("/private", `Bearer ${tokens.elsewhere}`));
    });
    await check(`${title}: no token is 401 with a challenge and no error`, async () => {
      const answer = await ask("/private");
      assert.equal(answer.status, 401);
      assert.match(answer.challenge, /^Bearer realm="api"/);
      assert.doesNotMatch(answer.challenge, /error=/);
    });
  }
  close();
}

/** Another character in the middle of the signature: the last one may carry unused bits. */
function altered(token) {
  const at = token.length - 20;
  return token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
}
