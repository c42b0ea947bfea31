// Runs one client suite against a `tokenhouse dev` of its own, over https where the binary can:
//   node with-house.mjs NAME COMMAND [ARGUMENT…]
// The command finds the house described in the JSON file that TOKENHOUSE_HOUSE names, and has its CA in the variables
// that Node, OpenSSL, Go and requests read. Nothing else about the clients is arranged.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import https from "node:https";
import http from "node:http";
import os from "node:os";
import path from "node:path";

import { secret } from "../quickstart/check.mjs";
import { binary, devArguments, freePort, start, until } from "../quickstart/house.mjs";

const START_MS = 60_000;
const SETTLE_MS = 10_000;
/** Ten minutes, unless a suite says that it takes longer. */
const CHECKS_MS = 60_000 * Number(process.env.TOKENHOUSE_CHECKS_MINUTES ?? 10);

const [name, command, ...args] = process.argv.slice(2);
const folder = mkdtempSync(path.join(os.tmpdir(), `tokenhouse-clients-${name}-`));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const data = path.join(folder, "data");

try {
  process.exit(await run());
} catch (error) {
  console.log(`FAIL  a house for the ${name} clients: ${error.message}`);
  console.log("0 passed, 1 failed");
  process.exit(1);
}

async function run() {
  assert.ok(existsSync(binary), `there is no ${binary}: build it, or say TOKENHOUSE=path`);
  const isSecure = tokenhouse(["dev", "--help"]).includes("--https");
  const server = await startHouse(isSecure);
  const facts = await describe(server.facts, isSecure);
  const file = path.join(folder, "house.json");
  writeFileSync(file, JSON.stringify(facts), { mode: 0o600 });
  if (!isSecure) console.log("      this binary has no `dev --https`: over http, and what needs https is not run");
  const code = await runChecks({ TOKENHOUSE_HOUSE: file, ...trust(facts.ca_file) });
  const how = await server.end("SIGTERM");
  if (how.code !== 0) throw new Error(`tokenhouse dev ended with ${JSON.stringify(how)}`);
  return code;
}

async function startHouse(isSecure) {
  const ports = { issuer: await freePort(), api: await freePort() };
  const more = isSecure ? ["--https"] : [];
  const server = start(binary, devArguments(data, ports, more), { log: `clients-${name}-server.log` });
  let over;
  server.ended.then((how) => (over = how));
  const file = path.join(data, "dev.json");
  await until("dev.json", START_MS, () => {
    if (over) throw new Error(`tokenhouse dev ended with ${JSON.stringify(over)}: ${server.stderr().slice(-300).trimEnd()}`);
    return statSync(file, { throwIfNoEntry: false })?.size > 0;
  });
  return { ...server, facts: JSON.parse(readFileSync(file, "utf8")) };
}

/**
 * What `dev.json` says, and further: an API for each further algorithm and an application that may use them all; an API
 * of RFC 9068 with permissions, an application and a user that have one each; an application for each kind of key.
 */
async function describe(facts, isSecure) {
  assert.equal(new URL(facts.issuer).protocol, isSecure ? "https:" : "http:", "the issuer's scheme");
  assert.ok(!isSecure || existsSync(facts.ca_file ?? ""), "dev.json names no ca_file that exists");
  const strict = "https://strict.example.com";
  const dialect = ["--dialect", "rfc9068_profile_authz", "--rbac"];
  registry(["apis", "create", strict, "--name", "Strict API", ...dialect, "--scope", "read:reports", "--scope", "write:reports"]);
  const [{ user_id }] = JSON.parse(registry(["users", "list"]));
  registry(["users", "permissions", "add", user_id, "--api", strict, "--permissions", "read:reports"]);
  const signers = registerSigners(strict);
  const writer = JSON.parse(registry(["apps", "create", "Writes, does not read"]));
  registry(["grants", "create", "--app", writer.client_id, "--api", strict, "--scope", "write:reports"]);

  const algorithms = { ES256: null, PS256: null, EdDSA: null };
  const app = JSON.parse(registry(["apps", "create", "Every algorithm"]));
  for (const algorithm of Object.keys(algorithms)) {
    const identifier = `https://${algorithm.toLowerCase()}.example.com`;
    const name = `${algorithm} API`;
    registry(["apis", "create", identifier, "--name", name, "--signing-alg", algorithm, "--scope", "read:reports"]);
    registry(["grants", "create", "--app", app.client_id, "--api", identifier, "--all-scopes"]);
    algorithms[algorithm] = identifier;
  }
  const both = ({ client_id, client_secret }) => ({ client_id, client_secret });
  const applications = { ...facts.applications, algorithms: both(app), writer: both(writer) };
  for (const { client_id, client_secret } of Object.values(applications)) {
    secret(client_secret);
    secret(Buffer.from(`${client_id}:${client_secret}`).toString("base64"));
  }
  // The running server sees what the command line registered within a moment, not at once.
  const { ca_file, token_url } = facts;
  for (const audience of Object.values(algorithms)) {
    const body = JSON.stringify({ grant_type: "client_credentials", audience, ...applications.algorithms });
    await until(`a token for ${audience}`, SETTLE_MS, () => isGranted(token_url, body, ca_file));
  }
  return { ...facts, applications, algorithms, strict, signers, https: isSecure, domain: new URL(facts.issuer).host };
}

/** An application for each algorithm of an assertion, its key made here; each may use the whole of `api`. */
function registerSigners(api) {
  const pairs = {
    RS256: generateKeyPairSync("rsa", { modulusLength: 2048 }),
    RS384: generateKeyPairSync("rsa", { modulusLength: 2048 }),
    PS256: generateKeyPairSync("rsa", { modulusLength: 2048 }),
    ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
    EdDSA: generateKeyPairSync("ed25519"),
  };
  const signers = {};
  for (const [algorithm, { publicKey, privateKey }] of Object.entries(pairs)) {
    const file = path.join(folder, `${algorithm}.pem`);
    writeFileSync(file, publicKey.export({ type: "spki", format: "pem" }));
    // An RSA key is registered for RS256 unless the command says otherwise, which only `add-key` can.
    const isOther = algorithm === "RS384" || algorithm === "PS256";
    const key = isOther ? [] : ["--key", file];
    const { client_id } = JSON.parse(registry(["apps", "create", `Signs with ${algorithm}`, ...key]));
    if (isOther) registry(["apps", "add-key", client_id, file, "--alg", algorithm]);
    registry(["grants", "create", "--app", client_id, "--api", api, "--all-scopes"]);
    const private_key = privateKey.export({ type: "pkcs8", format: "pem" });
    for (const line of private_key.split("\n")) if (!line.startsWith("-")) secret(line);
    signers[algorithm] = { client_id, private_key };
  }
  return signers;
}

function registry(args) {
  return tokenhouse([...args, "--data", data, "--json"]);
}

function tokenhouse(args) {
  const done = spawnSync(binary, args, { encoding: "utf8", timeout: 30_000 });
  assert.equal(done.status, 0, `tokenhouse ${args.slice(0, 3).join(" ")}: ${done.stderr?.trim() || done.error}`);
  return done.stdout;
}

function isGranted(url, body, ca_file) {
  const [door, trusted] = ca_file ? [https, { ca: readFileSync(ca_file) }] : [http, {}];
  const options = { method: "POST", headers: { "content-type": "application/json" }, timeout: 5_000, ...trusted };
  return new Promise((resolve, reject) => {
    const exchange = door.request(url, options, (response) => {
      response.resume().on("end", () => resolve(response.statusCode === 200));
    });
    exchange.on("timeout", () => exchange.destroy(new Error(`${url}: no answer in 5 s`)));
    exchange.on("error", reject).end(body);
  });
}

/** The CA, where each runtime looks for it. Proxies of the machine are none of a local server's business. */
function trust(ca_file) {
  const direct = { NO_PROXY: "localhost,127.0.0.1", no_proxy: "localhost,127.0.0.1" };
  if (!ca_file) return direct;
  return { ...direct, NODE_EXTRA_CA_CERTS: ca_file, SSL_CERT_FILE: ca_file, REQUESTS_CA_BUNDLE: ca_file };
}

function runChecks(env) {
  const child = spawn(command, args, { stdio: "inherit", env: { ...process.env, ...env }, timeout: CHECKS_MS });
  process.on("exit", () => child.kill("SIGKILL"));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => (signal ? reject(new Error(`${command} ended by ${signal}`)) : resolve(code)));
  });
}
