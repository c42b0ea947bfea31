// private_key_jwt (RFC 7523 §2.2): applications that prove themselves by signed assertions, each good once.

import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";

import { AuthClient, TokenByClientCredentialsError } from "@auth0/auth0-auth-js";
import { AuthApiError, AuthenticationClient } from "auth0";
import { calculateJwkThumbprint, importPKCS8 } from "jose";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";

import { check, secret } from "../../quickstart/check.mjs";
import { refused } from "./refused.mjs";

const SCOPES = ["read:reports", "write:reports"];
const UNPROVEN = { status: 401, error: "invalid_client", error_description: /^Client authentication failed\. No key / };
const REPLAYED = { status: 401, error: "invalid_client", error_description: /used before/ };

export async function checkAssertions(house) {
  if (house.https) {
    await checkAuthenticationClient(house);
    await checkAuthClient(house);
  } else {
    console.log("      not run, needs `dev --https`: private_key_jwt of auth0, @auth0/auth0-auth-js");
  }
  await checkStandard("openid-client", openid, openidClient(house), house);
  await checkStandard("oauth4webapi", oauth, oauth4webapi(house), house);
}

async function checkAuthenticationClient({ domain, strict, signers }) {
  const client = (algorithm, private_key = signers[algorithm].private_key) =>
    new AuthenticationClient({
      domain,
      clientId: signers[algorithm].client_id,
      clientAssertionSigningKey: private_key,
      clientAssertionSigningAlg: algorithm,
    });

  for (const algorithm of Object.keys(signers)) {
    await check(`auth0: clientAssertionSigningKey, ${algorithm}`, async () => {
      const { data } = await client(algorithm).oauth.clientCredentialsGrant({ audience: strict });
      secret(data.access_token);
      assert.deepEqual(data.scope.split(" ").sort(), SCOPES);
    });
  }
  await check("auth0: another's key is AuthApiError 401 invalid_client", () =>
    refused(client("RS256", strangersKey()).oauth.clientCredentialsGrant({ audience: strict }), AuthApiError, {
      statusCode: 401,
      error: "invalid_client",
      error_description: UNPROVEN.error_description,
    }));
  await check("auth0: a replayed assertion is AuthApiError 401 invalid_client", async () => {
    // It writes the assertion into the parameters that it is given, and does not sign again where it finds one.
    const asked = { audience: strict };
    const { data } = await client("RS256").oauth.clientCredentialsGrant(asked);
    secret(data.access_token);
    assert.ok(secret(asked.client_assertion), "it left no assertion");
    await refused(client("RS256").oauth.clientCredentialsGrant(asked), AuthApiError, {
      statusCode: 401,
      error: "invalid_client",
      error_description: REPLAYED.error_description,
    });
  });
}

async function checkAuthClient({ domain, strict, signers }) {
  const { client_id, private_key } = signers.RS256;
  const client = (more) =>
    new AuthClient({ domain, clientId: client_id, clientAssertionSigningKey: private_key, ...more });

  await check("@auth0/auth0-auth-js: clientAssertionSigningKey, RS256", async () => {
    const one = client();
    const answers = [];
    for (let time = 0; time < 2; time += 1) answers.push(await one.getTokenByClientCredentials({ audience: strict }));
    for (const { accessToken, scope } of answers) {
      secret(accessToken);
      assert.deepEqual(scope.split(" ").sort(), SCOPES);
    }
  });
  for (const algorithm of ["RS384", "PS256", "ES256"]) {
    await check(`@auth0/auth0-auth-js: clientAssertionSigningAlg ${algorithm}`, async () => {
      const { client_id: clientId, private_key: clientAssertionSigningKey } = signers[algorithm];
      const other = client({ clientId, clientAssertionSigningKey, clientAssertionSigningAlg: algorithm });
      secret((await other.getTokenByClientCredentials({ audience: strict })).accessToken);
    });
  }
  await check("@auth0/auth0-auth-js: another's key is TokenByClientCredentialsError, invalid_client", () =>
    refused(
      client({ clientAssertionSigningKey: strangersKey() }).getTokenByClientCredentials({ audience: strict }),
      TokenByClientCredentialsError,
      { "cause.error": "invalid_client", "cause.error_description": UNPROVEN.error_description },
    ));
  await check("@auth0/auth0-auth-js: a replayed assertion is refused with invalid_client", async () => {
    const one = client({ customFetch: sendsTheFirstAgain() });
    secret((await one.getTokenByClientCredentials({ audience: strict })).accessToken);
    await refused(one.getTokenByClientCredentials({ audience: strict }), TokenByClientCredentialsError, {
      "cause.error": "invalid_client",
      "cause.error_description": REPLAYED.error_description,
    });
  });
}

/** The two share their means of authentication: `library` is either, `ask(client_id, authentication)` its request. */
async function checkStandard(name, library, ask, { signers }) {
  for (const [algorithm, { client_id, private_key }] of Object.entries(signers)) {
    // Both write RFC 9864's Ed25519 into the header for what RFC 8037 calls EdDSA.
    await check(`${name}: private_key_jwt, ${algorithm}`, async () => {
      const key = await importPKCS8(private_key, algorithm);
      granted(await ask(client_id, library.PrivateKeyJwt(key)));
    });
  }
  const { client_id, private_key } = signers.RS256;
  const key = await importPKCS8(private_key, "RS256");
  await check(`${name}: private_key_jwt with the kid, the key's thumbprint`, async () => {
    const kid = await calculateJwkThumbprint(createPublicKey(private_key).export({ format: "jwk" }));
    granted(await ask(client_id, library.PrivateKeyJwt({ key, kid })));
  });
  await check(`${name}: another kid is 401 invalid_client`, () =>
    refused(ask(client_id, library.PrivateKeyJwt({ key, kid: "unknown" })), library.ResponseBodyError, UNPROVEN));
  await check(`${name}: another's key is 401 invalid_client`, async () => {
    const stranger = await importPKCS8(strangersKey(), "RS256");
    await refused(ask(client_id, library.PrivateKeyJwt(stranger)), library.ResponseBodyError, UNPROVEN);
  });
  await check(`${name}: an assertion for another server is 401 invalid_client`, () => {
    const elsewhere = (_header, payload) => void (payload.aud = "https://other.example.com/");
    const authentication = library.PrivateKeyJwt(key, { [library.modifyAssertion]: elsewhere });
    const members = { ...UNPROVEN, error_description: /aud must be the issuer/ };
    return refused(ask(client_id, authentication), library.ResponseBodyError, members);
  });
  await check(`${name}: a replayed assertion is 401 invalid_client`, async () => {
    const authentication = signsOnce(library.PrivateKeyJwt(key));
    granted(await ask(client_id, authentication));
    await refused(ask(client_id, authentication), library.ResponseBodyError, REPLAYED);
  });
}

function openidClient({ issuer, strict, https }) {
  const execute = https ? [] : [openid.allowInsecureRequests];
  return async (client_id, authentication) => {
    const config = await openid.discovery(new URL(issuer), client_id, undefined, authentication, { execute });
    return openid.clientCredentialsGrant(config, { audience: strict });
  };
}

function oauth4webapi({ issuer, strict, https }) {
  const options = https ? {} : { [oauth.allowInsecureRequests]: true };
  return async (client_id, authentication) => {
    const url = new URL(issuer);
    const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, options));
    const body = new URLSearchParams({ audience: strict });
    const answer = await oauth.clientCredentialsGrantRequest(server, { client_id }, authentication, body, options);
    return oauth.processClientCredentialsResponse(server, { client_id }, answer);
  };
}

function granted(answer) {
  secret(answer.access_token);
  assert.deepEqual(answer.scope.split(" ").sort(), SCOPES);
}

/** Signs for the first request; every later one carries the same assertion. */
function signsOnce(method) {
  let signed;
  return async (server, client, body, headers) => {
    if (!signed) await method(server, client, (signed = new URLSearchParams()), headers);
    secret(signed.get("client_assertion"));
    for (const [name, value] of signed) body.set(name, value);
  };
}

/** A fetch that answers discovery, and sends the body of the first token request in place of every later one. */
function sendsTheFirstAgain() {
  let first;
  return (url, options = {}) => {
    if (!String(options.body ?? "").includes("client_assertion=")) return fetch(url, options);
    first ??= String(options.body);
    secret(new URLSearchParams(first).get("client_assertion"));
    return fetch(url, { ...options, body: first });
  };
}

function strangersKey() {
  return generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" });
}
