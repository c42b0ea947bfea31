// The examples, each run as its own words say, against the release binary. Ends with `N passed, N failed`.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { check, secret, totals } from "../quickstart/check.mjs";
import { binary, freePort, python, start, startDev, top, until } from "../quickstart/house.mjs";
import { bearer, request } from "../quickstart/http.mjs";

const data = mkdtempSync(path.join(tmpdir(), "tokenhouse-examples-"));
const example = (name) => path.join(top, "target/debug", name);
const house = await startDev(data, { issuer: await freePort(), api: await freePort() });
const { issuer, token_url, audience, applications } = house.facts;
const guarded = [];
for (const name of ["guarded-api", "guarded-service"]) {
  const listen = `127.0.0.1:${await freePort()}`;
  const program = start(example(name), [issuer, audience, listen], { log: `example-${name}.log` });
  guarded.push({ name, listen, program });
}
const { listen } = guarded[0];

try {
  const tokenOf = async (application, scope) => {
    const json = { grant_type: "client_credentials", audience, scope, ...application };
    secret(application.client_secret);
    return secret((await request("POST", token_url, { json })).json().access_token);
  };
  for (const { name, listen, program } of guarded) {
    await until(`${name} says where it listens`, 10_000, () => program.stdout().includes(listen));
    const call = async (route, headers) => (await request("GET", `http://${listen}${route}`, { headers })).status;
    await check(`${name}: open to everybody`, async () => assert.equal(await call("/api/public"), 200));
    await check(`${name}: 401 without a token`, async () => assert.equal(await call("/api/private"), 401));
    await check(`${name}: 200 with one, and with the scope`, async () => {
      const token = await tokenOf(applications.sample);
      assert.equal(await call("/api/private", bearer(token)), 200);
      assert.equal(await call("/api/private-scoped", bearer(token)), 200);
    });
    await check(`${name}: 403 without the scope`, async () => {
      const token = await tokenOf(applications.sample, "write:messages");
      assert.equal(await call("/api/private-scoped", bearer(token)), 403);
    });
  }
  await check("guarded-service: whoever knows its address alone finds the issuer", async () => {
    const api = `http://${guarded[1].listen}`;
    const refused = await request("GET", `${api}/api/private`);
    const [, url] = refused.headers["www-authenticate"].match(/ resource_metadata="([^"]+)"$/);
    assert.equal(url, `${api}/.well-known/oauth-protected-resource`);
    const metadata = (await request("GET", url)).json();
    assert.deepEqual(metadata.authorization_servers, [issuer]);
    assert.equal(metadata.resource, api);
  });
  await check("guarded-service: a method that is not named is closed", async () => {
    const token = await tokenOf(applications.sample);
    const url = `http://${guarded[1].listen}/api/private-scoped`;
    assert.equal((await request("DELETE", url, { headers: bearer(token) })).status, 403);
  });
  await check("m2m-client: gets a token and shows the API's answer", async () => {
    const { client_id, client_secret } = applications.reader;
    const url = `http://${listen}/api/private-scoped`;
    const args = [issuer, client_id, secret(client_secret), audience, url];
    const ran = spawnSync(example("m2m-client"), args, { encoding: "utf8", timeout: 20_000 });
    assert.equal(ran.status, 0, ran.stderr);
    assert.match(ran.stdout, /^200 OK\nYour token allows: read:messages\.\n/);
  });
  await check("m2m-client: a wrong secret is one clear error", async () => {
    const args = [issuer, applications.reader.client_id, "not-the-secret", audience, `http://${listen}/`];
    const ran = spawnSync(example("m2m-client"), args, { encoding: "utf8", timeout: 20_000 });
    assert.notEqual(ran.status, 0);
    assert.match(ran.stderr, /Unauthorized/);
  });
  await check("tokenhouse dev is ready with its seed's keys and makes none before", async () => {
    // How soon that is, is a row of bench/run: a machine that does other things as well tells nothing.
    assert.deepEqual(await keysOnceReady(), ["ec-1", "ec-2", "rsa-1", "rsa-2"]);
  });
  await check("tests-node: its tests pass and leave no issuer running", () => tests("tests-node", "node", ["--test"]));
  await check("tests-pytest: its tests pass and leave no issuer running", () =>
    tests("tests-pytest", python, ["-m", "pytest", "-q", "-p", "no:cacheprovider"]),
  );
} finally {
  for (const { program } of guarded) await program.end("SIGTERM");
  await house.end("SIGTERM");
  rmSync(data, { recursive: true, force: true });
}
process.exitCode = totals();

/** Runs an example's own tests; what they print is the reason if they fail. An issuer that is left keeps its pipe open. */
function tests(name, command, args) {
  const cwd = path.join(top, "examples", name);
  const env = { ...process.env, TOKENHOUSE: binary };
  const ran = spawnSync(command, args, { cwd, env, encoding: "utf8", timeout: 60_000 });
  assert.equal(ran.status, 0, `${ran.error ?? ""}${ran.stdout}${ran.stderr}`);
}

/** The keys that stand in the JWKS once `dev`, everything in memory, said where it is. */
async function keysOnceReady() {
  const args = ["dev", "--memory", "--port", "0", "--seed", path.join(top, "examples/seed.toml"), "--json"];
  const dev = spawn(binary, args, { stdio: ["ignore", "pipe", "ignore"] });
  const ended = once(dev, "exit");
  try {
    const [line] = await Promise.race([once(dev.stdout, "data"), ended.then(() => [""])]);
    const { jwks_url } = JSON.parse(String(line));
    return (await request("GET", jwks_url)).json().keys.map((key) => key.kid).sort();
  } finally {
    dev.kill("SIGTERM");
    await ended;
  }
}
