// Auth0's deploy CLI, unmodified, against the house that ../with-house.mjs started: what it exports it imports again,
// and exports again without a difference. `--long` runs the imports that a short run leaves out.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { check, redact, secret, totals } from "../../quickstart/check.mjs";

const MANY = 50;
const AT_ONCE = 10;
const KINDS = ["clients", "resourceServers", "clientGrants", "roles", "databases", "tenant", "pages", "attackProtection"];
// The folders and files of the kinds that there are here.
const HERE = ["clients", "resource-servers", "grants", "roles", "database-connections", "attack-protection", "pages", "tenant.json"];
const EVERY_KIND = { AUTH0_INCLUDED_ONLY: undefined };
const CLI_MS = 150_000;

const isLong = process.argv.includes("--long");

const cli = path.join(path.dirname(fileURLToPath(import.meta.url)), "node_modules/auth0-deploy-cli/lib/index.js");
const house = JSON.parse(readFileSync(process.env.TOKENHOUSE_HOUSE, "utf8"));
const folder = mkdtempSync(path.join(os.tmpdir(), "tokenhouse-deploy-cli-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

if (house.https) await checkDeployCli().catch((error) => check("auth0-deploy-cli", () => Promise.reject(error)));
else console.log("      not run, needs `dev --https`: auth0-deploy-cli");
process.exit(totals());

async function checkDeployCli() {
  const token = await managementToken();
  const made = await fill(token);

  const first = await check(`auth0-deploy-cli: export of ${MANY} clients, APIs, grants, roles and databases each`, async () => {
    const tree = await exported("first");
    const counts = ["clients", "resource-servers", "grants", "roles", "database-connections"].map((kind) => count(tree, kind, "Deployed"));
    assert.deepEqual(counts, [MANY, MANY, MANY, MANY, MANY]);
    for (const file of ["tenant.json", "attack-protection/brute-force-protection.json"]) assert.ok(tree.has(file), file);
    return tree;
  });
  if (isLong) await checkImports(token, made, first);
  await check("auth0-deploy-cli: import of a change, and the next export is the change", async () => {
    const wanted = changed("first", "changed");
    await deploy("import", "changed", { AUTH0_ALLOW_DELETE: "true" });
    same(await exported("second"), wanted);
  });
  await check("auth0-deploy-cli: export of every kind skips those that are not here", async () => {
    const tree = await exported("all", EVERY_KIND);
    assert.equal(count(tree, "clients", "Deployed"), MANY + 1);
    // What is written of a kind that is not here says nothing, so that the import of it changes nothing.
    const foreign = [...tree].filter(([file]) => !HERE.includes(file.split(path.sep)[0]));
    assert.deepEqual(foreign.filter(([, text]) => !/^(\{\}|\[\]|\{"policies":\[\]\})$/.test(text)), []);
  });
  if (!isLong) return;
  await check("auth0-deploy-cli: import of every kind changes nothing", async () => {
    const before = files(at("all"));
    await deploy("import", "all", EVERY_KIND);
    same(await exported("all again", EVERY_KIND), before);
  });
}

/** The imports that take their time: the CLI itself asks no more than eight times a second. */
async function checkImports(token, made, first) {
  await check("auth0-deploy-cli: import of what was exported changes nothing", async () => {
    await deploy("import", "first");
    same(await exported("unchanged"), first);
  });
  await check("auth0-deploy-cli: import creates what is not there", async () => {
    for (const id of made) await ask(token, "DELETE", `clients/${id}`);
    await deploy("import", "first");
    same(await exported("created"), first);
  });
}

/** Fifty of each, as an administrator would have them; answers the ids of the clients. */
async function fill(token) {
  const ids = [];
  await atOnce(MANY, async (number) => {
    const name = `Deployed ${number}`;
    const identifier = `https://deployed-${number}.example.com/v1`;
    const scopes = [{ value: "read:it", description: "Read it" }, { value: "write:it" }];
    await ask(token, "POST", "resource-servers", { identifier, name, scopes, token_lifetime: 3600 + number });
    const kinds = ["non_interactive", "spa", "native", "regular_web"];
    const more = { client_metadata: { number: `${number}` }, callbacks: [`https://app-${number}.example.com/cb`] };
    const body = { name, app_type: kinds[number % kinds.length], oidc_conformant: true, ...more };
    const app = await ask(token, "POST", "clients", body);
    secret(app.client_secret);
    ids.push(app.client_id);
    await ask(token, "POST", "client-grants", { client_id: app.client_id, audience: identifier, scope: ["read:it"] });
    const options = { passwordPolicy: "fair", password_complexity_options: { min_length: 9 + (number % 5) } };
    await ask(token, "POST", "connections", { name: `Deployed-${number}`, strategy: "auth0", options, enabled_clients: [app.client_id] });
    const role = await ask(token, "POST", "roles", { name, description: `Role ${number}` });
    const permissions = ["read:it", "write:it"].map((permission_name) => ({ resource_server_identifier: identifier, permission_name }));
    await ask(token, "POST", `roles/${role.id}/permissions`, { permissions: permissions.slice(number % 2) });
  });
  return ids;
}

/** The export `from` as `to`, with a change to each kind, a client more, a grant and a role less; answers its files. */
function changed(from, to) {
  cpSync(at(from), at(to), { recursive: true });
  const edit = (file, change) => {
    const full = path.join(at(to), file);
    const text = JSON.parse(readFileSync(full, "utf8"));
    writeFileSync(full, JSON.stringify({ ...text, ...change }, null, 2));
  };
  edit("clients/Deployed 1.json", { description: "Changed", callbacks: [], client_metadata: { number: "1", more: "2" } });
  edit("resource-servers/Deployed 2.json", { token_lifetime: 60, token_lifetime_for_web: 30, scopes: [{ value: "read:it" }] });
  edit("grants/Deployed 3-Deployed 3.json", { scope: ["read:it", "write:it"] });
  const own = { resource_server_identifier: "https://deployed-6.example.com/v1", permission_name: "read:it" };
  edit("roles/Deployed 6.json", { description: "Changed", permissions: [own] });
  edit("roles/Deployed 7.json", { permissions: [] });
  // What the API has no more, no role can have.
  const left = { resource_server_identifier: "https://deployed-2.example.com/v1", permission_name: "read:it" };
  edit("roles/Deployed 2.json", { permissions: [left] });
  const database = JSON.parse(readFileSync(path.join(at(to), "database-connections/Deployed-9/database.json"), "utf8"));
  edit("database-connections/Deployed-9/database.json", { options: { ...database.options, passwordPolicy: "excellent" } });
  edit("tenant.json", { friendly_name: "Deployed", session_lifetime: 100 });
  edit("attack-protection/brute-force-protection.json", { max_attempts: 9 });
  const another = JSON.parse(readFileSync(path.join(at(to), "clients/Deployed 4.json"), "utf8"));
  writeFileSync(path.join(at(to), "clients/Deployed more.json"), JSON.stringify({ ...another, name: "Deployed more" }));
  rmSync(path.join(at(to), "grants/Deployed 5-Deployed 5.json"));
  rmSync(path.join(at(to), "roles/Deployed 8.json"));
  return files(at(to));
}

async function exported(name, env) {
  mkdirSync(at(name));
  await deploy("export", name, env);
  return files(at(name));
}

/** Runs the CLI; it must end well, and say nothing of an error. */
async function deploy(command, name, env = {}) {
  const where = command === "export" ? ["--format=directory", "--output_folder"] : ["--input_file"];
  const given = {
    ...process.env,
    AUTH0_DOMAIN: house.domain,
    AUTH0_CLIENT_ID: house.management.client_id,
    AUTH0_CLIENT_SECRET: house.management.client_secret,
    AUTH0_INCLUDED_ONLY: JSON.stringify(KINDS),
    ...env,
  };
  const all = [cli, command, ...where, at(name)];
  const done = await promisify(execFile)(process.execPath, all, { cwd: folder, env: given, timeout: CLI_MS }).catch((error) => error);
  const said = redact(`${done.stdout}${done.stderr}`);
  assert.ok(!(done instanceof Error) && !/error.*Problem running/.test(said), `a0deploy ${command}: ${said.slice(-600)}`);
  return said;
}

/** The files of a folder by name, JSON written in one way. */
function files(top) {
  const all = readdirSync(top, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const full = all.map((entry) => path.join(entry.parentPath ?? entry.path, entry.name)).sort();
  return new Map(full.map((file) => [path.relative(top, file), read(file)]));
}

function read(file) {
  const text = readFileSync(file, "utf8");
  if (!file.endsWith(".json")) return text;
  const sorted = (value) => {
    if (Array.isArray(value)) return value.map(sorted);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
  };
  return JSON.stringify(sorted(JSON.parse(text)));
}

function same(found, wanted) {
  const differing = [...new Set([...found.keys(), ...wanted.keys()])].filter((name) => found.get(name) !== wanted.get(name));
  const shown = differing.slice(0, 3).map((name) => `${name}: ${found.get(name)} instead of ${wanted.get(name)}`);
  assert.equal(differing.length, 0, `${differing.length} files differ: ${shown.join("; ")}`);
}

function count(tree, kind, name) {
  return [...tree.keys()].filter((file) => file.startsWith(`${kind}${path.sep}${name}`)).length;
}

function at(name) {
  return path.join(folder, name);
}

async function managementToken() {
  const body = JSON.stringify({ grant_type: "client_credentials", ...house.management });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(house.token_url, { method: "POST", headers, body, signal: AbortSignal.timeout(15_000) });
  assert.equal(answer.status, 200, `the token endpoint answered ${answer.status}`);
  secret(house.management.client_secret);
  return secret((await answer.json()).access_token);
}

async function ask(token, method, what, body) {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const options = { method, headers, body: JSON.stringify(body), signal: AbortSignal.timeout(15_000) };
  const answer = await fetch(`${house.management.audience}${what}`, options);
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${what}: ${answer.status} ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}

async function atOnce(times, body) {
  let next = 0;
  const worker = async () => {
    while (next < times) await body(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
