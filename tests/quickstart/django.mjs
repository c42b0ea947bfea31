// The Django example against an issuer of our own that gives what no honest one would: what its verification refuses.

import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import http from "node:http";

import { check, secret } from "./check.mjs";
import { freePort, startDjango } from "./house.mjs";
import { bearer, request } from "./http.mjs";

const audience = "https://api.example.com";
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const now = Math.floor(Date.now() / 1000);

export async function checkDjangoAlone() {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}/`;
  const good = { iss: issuer, aud: audience, sub: "x@clients", iat: now, exp: now + 600, scope: "read:messages" };
  const django = await check("the Django example starts before its issuer", () =>
    startDjango({ ISSUER: issuer, AUDIENCE: audience }),
  );
  if (!django) return;
  const get = (token) => request("GET", `${django.url}/api/private`, { headers: bearer(secret(token)) });

  await check("Django API: no keys yet: 503 with Retry-After, never 401", async () => {
    unavailable(await get(rs256(good)));
  });

  let answer = "<html>not keys</html>";
  const keys = http.createServer((_, response) => response.end(answer));
  await new Promise((resolve) => keys.listen(port, "127.0.0.1", resolve));
  for (answer of ["<html>not keys</html>", "[]", '{"keys":[]}']) {
    await check(`Django API: the issuer answers ${answer}: 503`, async () => unavailable(await get(rs256(good))));
  }
  answer = JSON.stringify({ keys: [jwk(rsa, "rsa", "RS256"), jwk(ec, "ec", "ES256")] });

  const accepted = {
    RS256: rs256(good),
    ES256: es256(good),
    "an array of audiences": rs256({ ...good, aud: ["a", audience] }),
  };
  for (const [what, token] of Object.entries(accepted)) {
    await check(`Django API: ${what}: 200`, async () => assert.equal((await get(token)).status, 200));
  }
  const without = (name) => Object.fromEntries(Object.entries(good).filter(([claim]) => claim !== name));
  const refused = {
    "another issuer": rs256({ ...good, iss: "http://127.0.0.1/" }),
    "the issuer without its slash": rs256({ ...good, iss: issuer.slice(0, -1) }),
    "another audience": rs256({ ...good, aud: "https://api.example.com/" }),
    "an expired token": rs256({ ...good, exp: now - 60 }),
    "a token of the future": rs256({ ...good, nbf: now + 60 }),
    "no exp": rs256(without("exp")),
    "no aud": rs256(without("aud")),
    "no iss": rs256(without("iss")),
    "exp beyond all numbers": rs256(JSON.stringify(good).replace(`"exp":${now + 600}`, '"exp":1e999')),
    "a binding that is not checked (cnf)": rs256({ ...good, cnf: { jkt: "x" } }),
    "HS256 with the public key": hs256(good),
    "RS256 under the other key's id": rs256(good, { alg: "RS256", kid: "ec" }),
    "an algorithm that is not allowed": rs256(good, { alg: "RS512", kid: "rsa" }, "RSA-SHA512"),
    "an unknown kid that looks like a header": rs256(good, { alg: "RS256", kid: 'x"\r\nSet-Cookie: a=b' }),
    "a kid that is no string": rs256(good, { alg: "RS256", kid: 7 }),
    "no kid": rs256(good, { alg: "RS256" }),
  };
  for (const [what, token] of Object.entries(refused)) {
    await check(`Django API: ${what}: 401 invalid_token`, async () => {
      const response = await get(token);
      assert.equal(response.status, 401, `status ${response.status}`);
      assert.match(response.headers["www-authenticate"], /^Bearer realm="api", error="invalid_token"/);
      assert.ok(!("set-cookie" in response.headers));
    });
  }
  await new Promise((resolve) => keys.close(resolve));
  await check("Django API: the issuer is gone, its keys are held: 200", async () => {
    assert.equal((await get(rs256(good))).status, 200);
  });
  await django.end("SIGTERM");
}

function unavailable({ status, headers }) {
  assert.equal(status, 503);
  assert.match(headers["retry-after"], /^\d+$/);
}

function jwk({ publicKey }, kid, alg) {
  return { ...publicKey.export({ format: "jwk" }), kid, alg, use: "sig" };
}

function rs256(claims, header = { alg: "RS256", kid: "rsa" }, digest = "RSA-SHA256") {
  return jws(header, claims, (signed) => sign(digest, signed, rsa.privateKey));
}

function es256(claims) {
  const key = { key: ec.privateKey, dsaEncoding: "ieee-p1363" };
  return jws({ alg: "ES256", kid: "ec" }, claims, (signed) => sign("sha256", signed, key));
}

function hs256(claims) {
  const key = rsa.publicKey.export({ format: "pem", type: "spki" });
  return jws({ alg: "HS256", kid: "rsa" }, claims, (signed) => createHmac("sha256", key).update(signed).digest());
}

function jws(header, claims, signature) {
  const part = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
  const signed = `${part({ typ: "JWT", ...header })}.${part(claims)}`;
  return `${signed}.${signature(Buffer.from(signed)).toString("base64url")}`;
}
