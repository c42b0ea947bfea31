// Executes what `tokenhouse snippet` prints, unchanged: each of the quickstart's five requests in each language against
// a `tokenhouse dev`, over http and with a local authority over https, and a request whose values mean something to
// every literal, against a server that keeps what arrives.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

import { check, secret, totals } from "../quickstart/check.mjs";
import { binary, freePort, startDev } from "../quickstart/house.mjs";
import { browse } from "./browser.mjs";
import { checkCollections } from "./collections.mjs";
import { pinOfServer, startEcho, startLibrary, startPages } from "./echo.mjs";
import { environment, languages, made, swiftRoot } from "./languages.mjs";
import * as torture from "./torture.mjs";

/** A compiler on a busy machine takes its time. */
const PATIENCE_MS = 120_000;
/** The first program of a language that builds its libraries waits for all of them. */
const LONG_PATIENCE_MS = 900_000;
const QUICKSTART = [
  ["get-private-no-token", 401, /./],
  ["get-private", 200, /your access token is valid/],
  ["get-private-scoped", 200, /has the scope read:messages/],
  ["token-client-credentials", 200, /"access_token":"eyJ/],
  ["token-password", 200, /"access_token":"eyJ/],
];

const args = process.argv.slice(2);
const isLong = args.includes("--long");
const only = args.includes("--only") ? args[args.indexOf("--only") + 1].split(",") : undefined;
const folder = mkdtempSync(path.join(os.tmpdir(), "tokenhouse-snippets-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

// What cannot even begin is a failure that is counted.
process.on("uncaughtException", (error) => {
  console.log(`FAIL  the snippets: ${error.message}\n0 passed, 1 failed`);
  process.exit(1);
});
const open = await startHouse("open", []);
const secure = await startHouse("secure", ["--https"]);
const echo = await startEcho();
const pages = await startPages();
const library = await startLibrary(folder, path.join(import.meta.dirname, "node_modules/jquery/dist/jquery.min.js"));
const closed = await freePort();
const pin = await pinOfServer(secure.facts.issuer);
const secrets = secretFiles();

await checkCommand();
if (isLong || only?.includes("collections")) await checkCollections({ house: open, echo, folder });
const chosen = languages.filter(({ id, isLong: slow }) => (only ? only.includes(id) : isLong || !slow));
const queue = [...chosen];
// Two at a time, as many as the smallest machine has processors.
await Promise.all([1, 2].map(async () => {
  for (let language = queue.shift(); language; language = queue.shift()) await checkLanguage(language);
}));
const left = languages.filter((language) => !chosen.includes(language)).map(({ id }) => id);
if (!isLong && !only) console.log(`      not run, being slow (tests/snippets/run --long): ${left.join(", ")}, collections`);
process.exit(totals());

async function checkLanguage(language) {
  const { id } = language;
  const began = Date.now();
  const absent = missing(language);
  if (absent) return check(`${id}: can be run`, () => assert.fail(`${absent} is not on this machine: see README.md`));
  const of = (house) => ["--data", house.data, "--access-token-file", house.token];
  for (const [request, status, body] of QUICKSTART) {
    await check(`${id}: ${request}: ${status}`, async () => answered(await perform(language, request, of(open)), status, body));
  }
  await check(`${id}: get-private-scoped without the scope: 403, an answer like any other`, async () => {
    const values = [...of(open).slice(0, 2), "--access-token-file", open.narrowToken];
    answered(await perform(language, "get-private-scoped", values), 403, /insufficient/i);
  });
  await check(`${id}: nobody answers: an error that is shown`, async () => {
    unanswered(language, await perform(language, "get-private-no-token", ["--api-url", `http://127.0.0.1:${closed}`]));
  });
  await checkTorture(language);
  if (language.trust === "file") await checkTrust(language);
  if (language.trust !== "nothing") await checkDistrust(language);
  console.log(`      ${id}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

/** What a value means to a language stays what it is: nothing is changed on the way, nothing is executed. */
async function checkTorture(language) {
  const { id } = language;
  await check(`${id}: a body of hostile values arrives as it was meant`, async () => {
    const { username, audience, client_id, scope } = torture.values;
    const plain = { username, audience, "client-id": client_id, scope, issuer: `${echo.url}/${id}` };
    const flags = Object.entries(plain).map(([name, value]) => `--${name}=${value}`);
    const files = ["--password-file", secrets.password, "--client-secret-file", secrets.client_secret];
    answered(await perform(language, "token-password", [...flags, ...files]), 200, /^\{"echo":true\}$/);
    const [sent, ...more] = echo.take(`/${id}/`);
    assert.equal(more.length, 0, "it was sent more than once");
    assert.deepEqual([sent.method, sent.url], ["POST", `/${id}/oauth/token`]);
    assert.equal(sent.headersDistinct["content-type"].length, 1, "two Content-Type headers");
    assert.match(sent.headers["content-type"], /^application\/json(; ?charset=utf-8)?$/i);
    const { password, client_secret } = torture.values;
    const meant = { grant_type: "password", username, password, audience, scope, client_id, client_secret };
    const arrived = JSON.parse(sent.body.toString("utf8"));
    for (const [name, value] of Object.entries(meant)) assert.equal(arrived[name], value, name);
    assert.deepEqual(Object.keys(arrived), Object.keys(meant));
  });
  await check(`${id}: a hostile token and path arrive as they were meant`, async () => {
    const values = ["--api-url", `${echo.url}/${id}${torture.path}`, "--access-token-file", secrets.token];
    answered(await perform(language, "get-private-scoped", values), 200, /^\{"echo":true\}$/);
    const [sent] = echo.take(`/${id}/`);
    assert.deepEqual(sent.headersDistinct.authorization, [`Bearer ${torture.token}`]);
    assert.equal(decodeURIComponent(sent.url), `/${id}${torture.decodedPath}/api/private-scoped`);
    assert.equal(sent.body.length, 0);
  });
}

/** Certificates are checked: against the authority that the request names… */
async function checkTrust(language) {
  const { id } = language;
  await check(`${id}: https with the local authority: 200`, async () => {
    answered(await perform(language, "token-client-credentials", ["--data", secure.data], [pin]), 200, /"access_token":"eyJ/);
  });
}

/** …or else those of the machine. */
async function checkDistrust(language) {
  const { id } = language;
  const { issuer, audience, applications } = secure.facts;
  await check(`${id}: https of an authority that nobody named: refused, an error that is shown`, async () => {
    const values = ["--issuer", issuer, "--audience", audience, "--client-id", applications.sample.client_id];
    const done = await perform(language, "token-client-credentials", [...values, "--client-secret-file", secure.secret]);
    assert.doesNotMatch(done.stdout, /access_token/);
    unanswered(language, done);
  });
}

async function checkCommand() {
  const run = (...args) => spawnSync(binary, ["snippet", ...args], { encoding: "utf8", cwd: folder });
  await check("--list names every language that is run here, and its file", () => {
    const listed = run("--list").stdout.split("\n");
    for (const { id, file } of languages) {
      assert.ok(listed.some((line) => line.startsWith(`${id} `) && line.includes(path.basename(file))), id);
    }
  });
  await check("a value that is missing is named with its flag", () => {
    const { status, stderr, stdout } = run("--language", "go", "--request", "get-private-no-token");
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, /--api-url URL/);
  });
  for (const format of ["postman", "http"]) {
    await check(`--format ${format} holds no secret`, () => {
      const { status, stdout } = run("--format", format, "--data", open.data);
      assert.equal(status, 0);
      const { sample, password } = open.facts.applications;
      for (const { client_id, client_secret } of [sample, password]) {
        assert.ok(stdout.includes(client_id));
        assert.ok(!stdout.includes(client_secret));
      }
    });
  }
}

/** Renders a request and runs it, in a folder of its own: `{ code, stdout, stderr, status, body }`. */
async function perform(language, request, values, pins = []) {
  const place = mkdtempSync(path.join(folder, `${language.id}-`));
  const rendered = ["snippet", "--language", language.id, "--request", request, ...values];
  const { status, stdout: program, stderr } = spawnSync(binary, rendered, { encoding: "utf8", cwd: place });
  assert.equal(status, 0, `tokenhouse snippet: ${stderr}`);
  const file = path.join(place, language.file);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, program);
  writeFileSync(path.join(place, ".netrc"), "machine localhost login netrc password netrc\nmachine 127.0.0.1 login netrc password netrc\n", { mode: 0o600 });
  const done = language.isPage
    ? await browse({ place, program, pages, library, pins })
    : await execute(language.command(place, program), place, language.isLong ? LONG_PATIENCE_MS : PATIENCE_MS);
  assert.deepEqual(readdirSync(place).filter((name) => name.startsWith("pwned")), [], "a value was executed");
  const [, code, body] = /^(?:HTTP\/[\d.]+ )?(\d{3})\b[^\n]*\n(.*)$/s.exec(done.stdout) ?? [];
  for (const [token] of done.stdout.matchAll(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g)) secret(token);
  rmSync(place, { recursive: true, force: true });
  // curl and HTTPie show the headers between the two.
  const blank = /^HTTP\//.test(done.stdout) ? body?.replaceAll("\r", "").split("\n\n").slice(1).join("\n\n") : body;
  return { ...done, status: Number(code), body: blank?.trim() };
}

function execute([command, args], cwd, patienceMs) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: environment(cwd), stdio: ["ignore", "pipe", "pipe"], detached: true });
    const end = () => { try { process.kill(-child.pid, "SIGKILL"); } catch { /* It has ended. */ } };
    const late = setTimeout(end, patienceMs);
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
    child.once("error", reject);
    child.once("close", (code) => { clearTimeout(late); resolve({ code, stdout, stderr }); });
  });
}

function answered(done, status, body) {
  const said = `${done.stdout.slice(0, 500)} ${done.stderr.slice(0, 1500)}`;
  assert.equal(done.status, status, `the status is not first: ${said}`);
  assert.match(done.body, body, said);
  assert.equal(done.code, 0, `exit code ${done.code}: ${said}`);
}

function unanswered(language, { code, status, stdout, stderr }) {
  assert.ok(Number.isNaN(status), `there was an answer: ${stdout}`);
  if (language.isPage) return assert.match(stdout, /^No answer that this page may read: ./);
  assert.notEqual(code, 0, "it ended as if all were well");
  return assert.ok(stderr.trim(), "nothing was shown");
}

function missing(language) {
  const program = language.needs.find((name) => spawnSync("sh", ["-c", `command -v ${name}`]).status !== 0);
  if (program) return program;
  if (language.id === "swift" && !existsSync(path.join(swiftRoot, "usr/bin/swiftc"))) return `Swift in ${swiftRoot}`;
  if (language.id === "kotlin" && !existsSync(path.join(made, "kotlin/node_modules/kotlin-compiler/bin/kotlinc"))) return "kotlinc";
  if (language.id === "unirest" && !existsSync(path.join(made, "unirest/installed.xml"))) return "unirest-java-core";
  return undefined;
}

async function startHouse(name, more) {
  const data = path.join(folder, name);
  const house = await startDev(data, { issuer: await freePort(), api: await freePort() }, more);
  for (const { client_secret } of Object.values(house.facts.applications)) secret(client_secret);
  const { sample } = house.facts.applications;
  const kept = { ...house, data, secret: keep(`${name}-secret`, sample.client_secret) };
  if (more.length > 0) return kept;
  const token = async (scope) => {
    const body = { grant_type: "client_credentials", ...sample, audience: house.facts.audience, ...scope };
    const headers = { "content-type": "application/json" };
    const response = await fetch(house.facts.token_url, { method: "POST", headers, body: JSON.stringify(body) });
    return secret((await response.json()).access_token);
  };
  return {
    ...kept,
    token: keep("token", await token({})),
    narrowToken: keep("narrow-token", await token({ scope: "write:messages" })),
  };
}

function secretFiles() {
  return {
    password: keep("torture-password", torture.values.password),
    client_secret: keep("torture-client-secret", torture.values.client_secret),
    token: keep("torture-token", torture.token),
  };
}

function keep(name, text) {
  const file = path.join(folder, name);
  writeFileSync(file, `${text}\n`, { mode: 0o600 });
  return file;
}
