// The collections, sent by tools that others wrote: newman sends Postman's, httpYac the .http file.

import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

import { check } from "../quickstart/check.mjs";
import { binary } from "../quickstart/house.mjs";
import { made } from "./languages.mjs";
import * as torture from "./torture.mjs";

const STATUSES = {
  "get-private-no-token": 401,
  "token-client-credentials": 200,
  "get-private": 200,
  "get-private-scoped": 200,
  "token-password": 200,
};

/** Where `run --long` puts the tools. */
const tools = path.join(made, "tools/node_modules/.bin");
const PATIENCE_MS = 60_000;

/** `house` is one without https, `folder` is for what is written. */
export async function checkCollections({ house, echo, folder }) {
  const { sample, password } = house.facts.applications;
  const secrets = {
    client_secret: sample.client_secret,
    password_client_secret: password.client_secret,
    password: house.facts.user.password,
    access_token: readFileSync(house.token, "utf8").trim(),
  };
  for (const [format, send] of [["postman", newman], ["http", httpYac]]) {
    await check(`--format ${format}: each request answers as it says`, async () => {
      assert.deepEqual(await send(print(format, ["--data", house.data]), secrets, folder), STATUSES);
    });
    await check(`--format ${format}: hostile values arrive as they were meant`, () => hostile(format, send, { echo, folder }));
  }
}

async function hostile(format, send, { echo, folder }) {
  const { username, audience, client_id, scope } = torture.values;
  const plain = { username, audience, "client-id": client_id, scope, issuer: `${echo.url}/${format}` };
  const flags = Object.entries({ ...plain, "api-url": `${echo.url}/${format}${torture.path}` });
  const secrets = { client_secret: "one", password_client_secret: "two", password: "three", access_token: "four" };
  await send(print(format, flags.map(([name, value]) => `--${name}=${value}`)), secrets, folder);
  const sent = echo.take(`/${format}`);
  const [, first, called, , second] = sent;
  assert.equal(sent.length, 5);
  assert.deepEqual(JSON.parse(first.body), { grant_type: "client_credentials", client_id, client_secret: "one", audience, scope });
  const meant = { grant_type: "password", username, password: "three", audience, scope, client_id, client_secret: "two" };
  assert.deepEqual(JSON.parse(second.body), meant);
  assert.equal(decodeURIComponent(called.url), `/${format}${torture.decodedPath}/api/private`);
  assert.equal(called.headers.authorization, "Bearer four");
}

function print(format, values) {
  const { status, stdout, stderr } = spawnSync(binary, ["snippet", "--format", format, ...values], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout;
}

/** Sends a Postman collection; answers each request's status by its name. */
async function newman(collection, secrets, folder) {
  const [file, report] = ["collection.json", "report.json"].map((name) => path.join(folder, name));
  writeFileSync(file, collection);
  const variables = Object.entries(secrets).flatMap(([name, value]) => ["--env-var", `${name}=${value}`]);
  await run(folder, "newman", ["run", file, "--reporters", "json", "--reporter-json-export", report, ...variables]);
  const { executions } = JSON.parse(readFileSync(report, "utf8")).run;
  return Object.fromEntries(executions.map(({ item, response }) => [item.name, response?.code]));
}

/** Fills the secrets in, as a reader would, and sends an .http file. */
async function httpYac(text, secrets, folder) {
  const file = path.join(folder, "quickstart.http");
  const filled = text.replaceAll(/^@(\w+) = FILL_IN$/gm, (_, name) => `@${name} = ${secrets[name]}`);
  writeFileSync(file, filled);
  const { stdout } = await run(folder, "httpyac", ["send", path.basename(file), "--all", "--json"]);
  const { requests } = JSON.parse(stdout);
  return Object.fromEntries(requests.map(({ name, response }) => [name, response?.statusCode]));
}

function run(cwd, tool, args) {
  return promisify(execFile)(path.join(tools, tool), args, { cwd, timeout: PATIENCE_MS, maxBuffer: 1 << 24 });
}
