// What the sample API and the Django example both answer (RFC 6750 §3, CONTRACT §5.7).

import assert from "node:assert/strict";

import { check } from "./check.mjs";
import { bearer, request } from "./http.mjs";

/** `tokens`: `full`, `readers` and `password` (a user's) have read:messages; `write`, `none` and `narrow` lack it. */
export async function checkApi(name, url, tokens) {
  const get = (route, headers = {}) => request("GET", `${url}${route}`, { headers });

  await check(`${name}: /api/public is open: 200`, async () => {
    answered(await get("/api/public"), 200);
  });
  await check(`${name}: /api/private without a token: 401 and a bare challenge`, async () => {
    const response = await get("/api/private");
    answered(response, 401);
    assert.equal(response.headers["www-authenticate"], 'Bearer realm="api"');
  });
  for (const [whose, token] of Object.entries(tokens)) {
    await check(`${name}: /api/private with the token '${whose}': 200`, async () => {
      answered(await get("/api/private", bearer(token)), 200);
    });
  }
  for (const whose of ["full", "readers", "password"]) {
    await check(`${name}: /api/private-scoped with the scope (token '${whose}'): 200`, async () => {
      answered(await get("/api/private-scoped", bearer(tokens[whose])), 200);
    });
  }
  for (const whose of ["write", "none", "narrow"]) {
    await check(`${name}: /api/private-scoped without the scope (token '${whose}'): 403 that names it`, async () => {
      const response = await get("/api/private-scoped", bearer(tokens[whose]));
      answered(response, 403);
      const challenge = response.headers["www-authenticate"];
      assert.match(challenge, /^Bearer realm="api", error="insufficient_scope"/);
      assert.match(challenge, /, scope="read:messages"/);
    });
  }
  await check(`${name}: /api/private-scoped without a token: 401`, async () => {
    answered(await get("/api/private-scoped"), 401);
  });

  const [header, claims, signature] = tokens.full.split(".");
  const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString("base64url");
  const bad = {
    "a changed signature": `${header}.${claims}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`,
    "alg none": `${none}.${claims}.`,
    "changed claims": `${header}.${claims.slice(0, -4)}AAAA.${signature}`,
    "no JWT at all": "abcdefgh",
    "deep JSON": `${header}.${Buffer.from("[".repeat(3000)).toString("base64url")}.${signature}`,
  };
  for (const [what, token] of Object.entries(bad)) {
    await check(`${name}: a token with ${what}: 401 invalid_token`, async () => {
      const response = await get("/api/private", bearer(token));
      answered(response, 401);
      const expected = /^Bearer realm="api", error="invalid_token", error_description="[^"]+"/;
      assert.match(response.headers["www-authenticate"], expected);
    });
  }
  const others = { Basic: "Basic YTpi", "two words": `Bearer ${tokens.full} x`, "no token": "Bearer" };
  for (const [what, value] of Object.entries(others)) {
    await check(`${name}: Authorization that is no Bearer credential (${what}): 401`, async () => {
      const response = await get("/api/private", { authorization: value });
      answered(response, 401);
      assert.match(response.headers["www-authenticate"], /^Bearer realm="api"/);
    });
  }

  await check(`${name}: another path: 404 in JSON`, async () => {
    const response = await get("/api/elsewhere");
    assert.equal(response.status, 404);
    assert.match(response.headers["content-type"], /^application\/(problem\+)?json/);
    response.json();
  });
  await check(`${name}: a preflight is answered without a token and allows Authorization`, async () => {
    const headers = {
      origin: "http://localhost:3999",
      "access-control-request-method": "GET",
      "access-control-request-headers": "authorization",
    };
    const response = await request("OPTIONS", `${url}/api/private`, { headers });
    assert.ok([200, 204].includes(response.status), `status ${response.status}`);
    readable(response, headers.origin);
    assert.match(response.headers["access-control-allow-headers"], /authorization/i);
  });
  await check(`${name}: a page of another origin can read a refusal and its challenge`, async () => {
    for (const [route, headers] of [["/api/private", {}], ["/api/private-scoped", bearer(tokens.write)]]) {
      const response = await get(route, { origin: "http://localhost:3999", ...headers });
      readable(response, "http://localhost:3999");
      assert.match(response.headers["access-control-expose-headers"], /www-authenticate/i);
    }
  });
}

function answered(response, status) {
  assert.equal(response.status, status, `status ${response.status}, not ${status}: ${response.text.slice(0, 300)}`);
  assert.match(response.headers["content-type"] ?? "", /^application\/(problem\+)?json/);
  const body = response.json();
  if (status === 200) assert.equal(typeof body.message, "string");
}

function readable(response, origin) {
  assert.ok(["*", origin].includes(response.headers["access-control-allow-origin"]), "no Access-Control-Allow-Origin");
}
