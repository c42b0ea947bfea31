// Auth0's own SDKs: `auth0` (AuthenticationClient) and `@auth0/auth0-auth-js` (AuthClient). Both speak https alone.

import assert from "node:assert/strict";

import { AuthClient, TokenByClientCredentialsError, TokenByPasswordError } from "@auth0/auth0-auth-js";
import { AuthApiError, AuthenticationClient } from "auth0";

import { check, secret } from "../../quickstart/check.mjs";
import { refused } from "./refused.mjs";

const WRONG = secret("a-client-secret-that-nobody-has");

export async function checkAuth0(house) {
  if (!house.https) {
    console.log("      not run, needs `dev --https`: auth0, @auth0/auth0-auth-js");
    return;
  }
  await checkAuthenticationClient(house);
  await checkAuthClient(house);
}

async function checkAuthenticationClient({ domain, audience, applications, user }) {
  const client = ({ client_id, client_secret }, more) =>
    new AuthenticationClient({ domain, clientId: client_id, clientSecret: client_secret, ...more });

  await check("auth0: clientCredentialsGrant", async () => {
    const { data, status } = await client(applications.sample).oauth.clientCredentialsGrant({ audience });
    secret(data.access_token);
    assert.equal(status, 200);
    assert.equal(data.token_type, "Bearer");
    assert.equal(data.expires_in, 86400);
    assert.deepEqual(data.scope.split(" ").sort(), ["read:messages", "write:messages"]);
    assert.equal(data.id_token, undefined);
  });
  await check("auth0: passwordGrant, its ID token verified", async () => {
    const asked = { ...user, audience, scope: "openid read:messages" };
    const { data } = await client(applications.password).oauth.passwordGrant(asked);
    secret(data.access_token);
    assert.ok(secret(data.id_token), "no ID token");
    assert.deepEqual(data.scope.split(" ").sort(), ["openid", "read:messages"]);
  });
  await check("auth0: passwordGrant with a realm", async () => {
    const asked = { ...user, audience, realm: "Username-Password-Authentication" };
    const { data } = await client(applications.password).oauth.passwordGrant(asked);
    assert.ok(secret(data.access_token));
  });
  await check("auth0: a wrong secret is AuthApiError 401 access_denied", () =>
    refused(
      client({ ...applications.sample, client_secret: WRONG }).oauth.clientCredentialsGrant({ audience }),
      AuthApiError,
      { statusCode: 401, error: "access_denied" },
    ));
  await check("auth0: a wrong password is AuthApiError 403 invalid_grant", () =>
    refused(
      client(applications.password).oauth.passwordGrant({ ...user, password: WRONG, audience }),
      AuthApiError,
      { statusCode: 403, error: "invalid_grant", error_description: /^Wrong email or password\./ },
    ));
  await check("auth0: no client grant is AuthApiError 403 access_denied", () =>
    refused(client(applications.password).oauth.clientCredentialsGrant({ audience }), AuthApiError, {
      statusCode: 403,
      error: "access_denied",
      error_description: /client-grant/,
    }));
}

async function checkAuthClient({ domain, audience, applications, user }) {
  const client = ({ client_id, client_secret }) =>
    new AuthClient({ domain, clientId: client_id, clientSecret: client_secret });

  await check("@auth0/auth0-auth-js: getTokenByClientCredentials, after discovery", async () => {
    const before = Math.floor(Date.now() / 1000);
    const answer = await client(applications.sample).getTokenByClientCredentials({ audience });
    secret(answer.accessToken);
    assert.ok(answer.expiresAt >= before + 86400);
    assert.deepEqual(answer.scope.split(" ").sort(), ["read:messages", "write:messages"]);
  });
  await check("@auth0/auth0-auth-js: getTokenByPassword, its ID token verified", async () => {
    const asked = { ...user, audience, scope: "openid read:messages" };
    const answer = await client(applications.password).getTokenByPassword(asked);
    secret(answer.accessToken);
    secret(answer.idToken);
    assert.equal(answer.claims.aud, applications.password.client_id);
  });
  await check("@auth0/auth0-auth-js: a wrong secret is TokenByClientCredentialsError, access_denied", () =>
    refused(
      client({ ...applications.sample, client_secret: WRONG }).getTokenByClientCredentials({ audience }),
      TokenByClientCredentialsError,
      { "cause.error": "access_denied", "cause.error_description": /^Unauthorized/ },
    ));
  await check("@auth0/auth0-auth-js: a wrong password is TokenByPasswordError, invalid_grant", () =>
    refused(
      client(applications.password).getTokenByPassword({ ...user, password: WRONG, audience }),
      TokenByPasswordError,
      { "cause.error": "invalid_grant", "cause.error_description": /^Wrong email or password\./ },
    ));
}
