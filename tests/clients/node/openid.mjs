// The strict standard clients: openid-client and oauth4webapi.

import assert from "node:assert/strict";

import * as oauth from "oauth4webapi";
import * as openid from "openid-client";

import { check, secret } from "../../quickstart/check.mjs";
import { refused } from "./refused.mjs";

const WRONG = secret("another-secret-that-nobody-has");

export async function checkOpenid(house) {
  await checkOpenidClient(house);
  await checkOauth4webapi(house);
}

async function checkOpenidClient({ issuer, token_url, audience, applications, user, https }) {
  const { sample, password } = applications;
  const execute = https ? [] : [openid.allowInsecureRequests];
  const discover = (app, method, algorithm = "oidc") =>
    openid.discovery(new URL(issuer), app.client_id, undefined, method(app.client_secret), { algorithm, execute });

  for (const algorithm of ["oidc", "oauth2"]) {
    await check(`openid-client: discovery, ${algorithm}`, async () => {
      const metadata = (await discover(sample, openid.ClientSecretPost, algorithm)).serverMetadata();
      assert.equal(metadata.issuer, issuer);
      assert.equal(metadata.token_endpoint, token_url);
    });
  }
  for (const method of [openid.ClientSecretPost, openid.ClientSecretBasic]) {
    await check(`openid-client: client credentials, ${method.name}`, async () => {
      const config = await discover(sample, method);
      const answer = await openid.clientCredentialsGrant(config, { audience, scope: "read:messages" });
      secret(answer.access_token);
      assert.equal(answer.token_type, "bearer");
      assert.equal(answer.scope, "read:messages");
      assert.ok(answer.expiresIn() > 86000);
    });
    await check(`openid-client: a wrong secret is a 401, ${method.name}`, async () => {
      const config = await discover({ ...sample, client_secret: WRONG }, method);
      await unauthorized(openid.clientCredentialsGrant(config, { audience }), openid, method);
    });
  }
  await check("openid-client: the password grant, its ID token verified", async () => {
    const config = await discover(password, openid.ClientSecretPost);
    const scope = "openid read:messages";
    const answer = await openid.genericGrantRequest(config, "password", { ...user, audience, scope });
    secret(answer.access_token);
    secret(answer.id_token);
    assert.equal(answer.claims().aud, password.client_id);
  });
  await check("openid-client: a scope outside the grant is 403 access_denied", async () => {
    const config = await discover(sample, openid.ClientSecretPost);
    const members = { status: 403, error: "access_denied", error_description: /delete:everything/ };
    const asked = { audience, scope: "delete:everything" };
    await refused(openid.clientCredentialsGrant(config, asked), openid.ResponseBodyError, members);
  });
}

async function checkOauth4webapi({ issuer, audience, applications, user, https }) {
  const { sample, password } = applications;
  const options = https ? {} : { [oauth.allowInsecureRequests]: true };
  const client = ({ client_id }) => ({ client_id });
  const server = await check("oauth4webapi: discovery", async () => {
    const url = new URL(issuer);
    return oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, options));
  });
  if (!server) return;
  const ask = async (app, method, parameters) => {
    const authentication = method(app.client_secret);
    const body = new URLSearchParams({ audience, ...parameters });
    const answer = await oauth.clientCredentialsGrantRequest(server, client(app), authentication, body, options);
    return oauth.processClientCredentialsResponse(server, client(app), answer);
  };

  for (const method of [oauth.ClientSecretPost, oauth.ClientSecretBasic]) {
    await check(`oauth4webapi: client credentials, ${method.name}`, async () => {
      const answer = await ask(sample, method, { scope: "write:messages" });
      secret(answer.access_token);
      assert.equal(answer.scope, "write:messages");
      assert.equal(answer.expires_in, 86400);
    });
    await check(`oauth4webapi: a wrong secret is a 401, ${method.name}`, () =>
      unauthorized(ask({ ...sample, client_secret: WRONG }, method), oauth, method));
  }
  await check("oauth4webapi: the resource parameter (RFC 8707) in place of audience", async () => {
    const authentication = oauth.ClientSecretPost(sample.client_secret);
    const body = new URLSearchParams({ resource: audience });
    const answer = await oauth.clientCredentialsGrantRequest(server, client(sample), authentication, body, options);
    secret((await oauth.processClientCredentialsResponse(server, client(sample), answer)).access_token);
  });
  await check("oauth4webapi: the password grant", async () => {
    const authentication = oauth.ClientSecretBasic(password.client_secret);
    const body = new URLSearchParams({ ...user, audience, scope: "read:messages" });
    const request = [server, client(password), authentication, "password", body, options];
    const answer = await oauth.genericTokenEndpointRequest(...request);
    const token = await oauth.processGenericTokenEndpointResponse(server, client(password), answer);
    secret(token.access_token);
    assert.equal(token.scope, "read:messages");
  });
}

/** A 401 in the library's own class: the body's error, or the challenge that follows Basic (RFC 6749 §5.2). */
function unauthorized(promise, library, method) {
  const isBasic = method === library.ClientSecretBasic;
  if (!isBasic) return refused(promise, library.ResponseBodyError, { status: 401, error: "access_denied" });
  return refused(promise, library.WWWAuthenticateChallengeError, { status: 401, "cause.0.scheme": "basic" });
}
