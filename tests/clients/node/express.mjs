// An Express API behind the guards of express-oauth2-jwt-bearer, and the tokens to knock with.

import assert from "node:assert/strict";
import { once } from "node:events";

import express from "express";

import { secret } from "../../quickstart/check.mjs";

/** Serves each path behind its guards, on a free port; `ask(path, authorization)` is a request, `close()` ends it. */
export async function startApi(guards) {
  const app = express();
  for (const [path, chain] of Object.entries(guards)) {
    app.get(path, ...chain, (request, response) => void response.json({ sub: request.auth.payload.sub }));
  }
  // The guard's refusals carry their status and headers; Express's own page for errors would print a stack as well.
  app.use((error, _request, response, _next) => {
    response.status(error.status ?? 500).set(error.headers ?? {}).json({ error: error.code, message: error.message });
  });
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  const ask = async (path, authorization) => {
    const headers = authorization === undefined ? {} : { authorization };
    const url = `http://127.0.0.1:${server.address().port}${path}`;
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(15_000) });
    return { status: answer.status, challenge: answer.headers.get("www-authenticate"), text: await answer.text() };
  };
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { ask, close };
}

/** The guard's answer to a token that is not good, with `why` in its words. */
export function invalid({ status, challenge, text }, why = /./) {
  assert.equal(status, 401, text);
  assert.match(challenge, /error="invalid_token"/);
  assert.match(JSON.parse(text).message, why);
}

/** An access token by client credentials, unless `parameters` name another grant. */
export async function fetchToken({ token_url }, parameters) {
  const body = new URLSearchParams({ grant_type: "client_credentials", ...parameters });
  const answer = await fetch(token_url, { method: "POST", body, signal: AbortSignal.timeout(15_000) });
  const { access_token } = await answer.json();
  assert.equal(answer.status, 200, `the token endpoint answered ${answer.status}`);
  return secret(access_token);
}
