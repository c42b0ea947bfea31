// The profile of RFC 9068 with permissions: express-oauth2-jwt-bearer's `strict` and `claimIncludes`, oauth4webapi's
// `validateJwtAccessToken`.

import assert from "node:assert/strict";

import { auth, claimIncludes, requiredScopes } from "express-oauth2-jwt-bearer";
import { decodeJwt, decodeProtectedHeader } from "jose";
import * as oauth from "oauth4webapi";

import { check } from "../../quickstart/check.mjs";
import { fetchToken, invalid, startApi } from "./express.mjs";
import { refused } from "./refused.mjs";

export async function checkProfile(house) {
  const { applications, algorithms, strict, user } = house;
  const { writer, algorithms: auth0, password } = applications;
  const tokens = {
    writer: await fetchToken(house, { ...writer, audience: strict }),
    auth0: await fetchToken(house, { ...auth0, audience: algorithms.ES256 }),
    reader: await fetchToken(house, {
      grant_type: "password",
      ...password,
      ...user,
      audience: strict,
      scope: "read:reports write:reports",
    }),
  };
  await checkClaims(house, tokens);
  await checkStrict(house, tokens);
  await checkPermissions(house, tokens);
  await checkAccessToken(house, tokens);
}

async function checkClaims({ applications, strict }, { writer, reader }) {
  await check("jose: RFC 9068, an application's token: at+jwt, client_id and jti, neither azp nor gty", () => {
    const { client_id } = applications.writer;
    assert.equal(decodeProtectedHeader(writer).typ, "at+jwt");
    const { iss, iat, exp, jti, ...claims } = decodeJwt(writer);
    assert.ok(iss && iat && exp && jti, "iss, iat, exp or jti is missing");
    const rights = { scope: "write:reports", permissions: ["write:reports"] };
    assert.deepEqual(claims, { sub: `${client_id}@clients`, aud: strict, client_id, ...rights });
  });
  await check("jose: RFC 9068, a user's token has their permissions and no scope beyond them", () => {
    const { sub, client_id, scope, permissions } = decodeJwt(reader);
    assert.match(sub, /^auth0\|/);
    assert.equal(client_id, applications.password.client_id);
    assert.deepEqual([scope, permissions], ["read:reports", ["read:reports"]]);
  });
}

async function checkStrict({ issuer, strict, algorithms }, tokens) {
  const audience = [strict, algorithms.ES256];
  const { ask, close } = await startApi({
    "/strict": [auth({ issuerBaseURL: issuer, audience, strict: true })],
    "/lenient": [auth({ issuerBaseURL: issuer, audience })],
    "/scoped": [auth({ issuerBaseURL: issuer, audience, strict: true }), requiredScopes("write:reports")],
  });
  for (const [whose, token] of [["an application's", tokens.writer], ["a user's", tokens.reader]]) {
    await check(`express-oauth2-jwt-bearer, strict: ${whose} RFC 9068 token is accepted`, async () => {
      const answer = await ask("/strict", `Bearer ${token}`);
      assert.equal(answer.status, 200, answer.text);
    });
  }
  await check("express-oauth2-jwt-bearer, strict: so is its scope", async () => {
    const answers = [await ask("/scoped", `Bearer ${tokens.writer}`), await ask("/scoped", `Bearer ${tokens.reader}`)];
    assert.deepEqual(answers.map(({ status }) => status), [200, 403]);
  });
  await check("express-oauth2-jwt-bearer, strict: Auth0's profile, good without it, is 401 for its typ", async () => {
    assert.equal((await ask("/lenient", `Bearer ${tokens.auth0}`)).status, 200);
    invalid(await ask("/strict", `Bearer ${tokens.auth0}`), /^Unexpected 'typ' value$/);
  });
  close();
}

async function checkPermissions({ issuer, strict, algorithms }, tokens) {
  const guard = auth({ issuerBaseURL: issuer, audience: [strict, algorithms.ES256] });
  const { ask, close } = await startApi({
    "/read": [guard, claimIncludes("permissions", "read:reports")],
    "/write": [guard, claimIncludes("permissions", "write:reports")],
    "/both": [guard, claimIncludes("permissions", "read:reports", "write:reports")],
  });
  const title = "express-oauth2-jwt-bearer, claimIncludes('permissions', …)";
  await check(`${title}: those that the token has are accepted`, async () => {
    const answers = [await ask("/write", `Bearer ${tokens.writer}`), await ask("/read", `Bearer ${tokens.reader}`)];
    for (const { status, text } of answers) assert.equal(status, 200, text);
  });
  await check(`${title}: others are 401 invalid_token`, async () => {
    const why = /^Unexpected 'permissions' value$/;
    invalid(await ask("/read", `Bearer ${tokens.writer}`), why);
    invalid(await ask("/write", `Bearer ${tokens.reader}`), why);
    invalid(await ask("/both", `Bearer ${tokens.reader}`), why);
  });
  await check(`${title}: a token of a dialect without them is 401 invalid_token`, async () => {
    invalid(await ask("/read", `Bearer ${tokens.auth0}`), /^Missing 'permissions' claim$/);
  });
  close();
}

async function checkAccessToken({ issuer, strict, algorithms, https }, tokens) {
  const options = https ? {} : { [oauth.allowInsecureRequests]: true };
  const url = new URL(issuer);
  const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, options));
  const validate = (token, audience) => {
    const request = new Request("https://api.example.com/", { headers: { authorization: `Bearer ${token}` } });
    return oauth.validateJwtAccessToken(server, request, audience, options);
  };
  await check("oauth4webapi: validateJwtAccessToken, an application's and a user's", async () => {
    assert.match((await validate(tokens.writer, strict)).sub, /@clients$/);
    assert.match((await validate(tokens.reader, strict)).sub, /^auth0\|/);
  });
  await check("oauth4webapi: validateJwtAccessToken, another audience is refused", () =>
    refused(validate(tokens.writer, algorithms.ES256), oauth.OperationProcessingError, { message: /"aud"/ }));
  await check("oauth4webapi: validateJwtAccessToken, a token of Auth0's profile is refused", () =>
    refused(validate(tokens.auth0, algorithms.ES256), oauth.OperationProcessingError, { message: /"typ"/ }));
}
