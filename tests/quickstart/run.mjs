// The whole quickstart over HTTP, against the release binary and the Django example, and the life of `tokenhouse dev`.
// Node 20, nothing to install:  node tests/quickstart/run.mjs   (TOKENHOUSE=path and PYTHON=path to use others)

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { statSync, symlinkSync, writeFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";

import { checkApi } from "./api.mjs";
import { check, secret, totals } from "./check.mjs";
import { bearer, request } from "./http.mjs";
import { checkDjangoAlone } from "./django.mjs";
import { devArguments, freePort, refused, start, startDev, startDjango, until } from "./house.mjs";
import { checkKeys, checkTokens } from "./tokens.mjs";

const folder = mkdtempSync(path.join(os.tmpdir(), "tokenhouse-quickstart-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const data = path.join(folder, "data");
const ports = { issuer: await freePort(), api: await freePort() };

const house = await check("tokenhouse dev makes its folder and is ready", () => startDev(data, ports));
if (house) await story(house);
process.exit(totals());

async function story(first) {
  const facts = remember(first.facts);
  const { issuer, token_url, api_url } = facts;

  await check("dev.json is the owner's alone and says where everything is", () => {
    assert.equal(first.mode, 0o600);
    assert.equal(issuer, `http://localhost:${ports.issuer}/`);
    assert.equal(token_url, `${issuer}oauth/token`);
    assert.equal(new URL(api_url).port, String(ports.api));
    assert.equal(facts.audience, "https://api.example.com");
    assert.deepEqual(facts.user, { username: "user@example.com", password: "pwd" });
    assert.deepEqual(Object.keys(facts.applications).sort(), ["admin", "password", "reader", "sample", "stranger"]);
    for (const { client_id, client_secret } of Object.values(facts.applications)) {
      assert.match(client_id, /^[A-Za-z0-9]{32}$/);
      assert.match(client_secret, /^[A-Za-z0-9_-]{64}$/);
    }
  });
  await check("no file that holds a key can be read by others", () => {
    for (const name of readdirSync(data).filter((name) => /key|seal|\.pem$/.test(name))) {
      assert.equal(statSync(path.join(data, name)).mode & 0o077, 0, name);
    }
  });
  const tokens = await checkTokens(facts);
  await checkKeys(facts, tokens.full ?? "..");
  await check("both servers answer on [::1] too", async () => {
    if (!Object.values(os.networkInterfaces()).flat().some(({ address }) => address === "::1")) return;
    const keys = await request("GET", `http://[::1]:${ports.issuer}/.well-known/jwks.json`);
    const open = await request("GET", `http://[::1]:${ports.api}/api/public`);
    assert.deepEqual([keys.status, open.status], [200, 200]);
  });
  await checkApi("sample API", new URL(api_url).origin, tokens);
  await checkWelcome(first);

  const settings = { ISSUER: issuer, AUDIENCE: facts.audience };
  const django = await check("the Django example starts", () => startDjango(settings));
  if (django) {
    await checkApi("Django API", django.url, tokens);
    await django.end("SIGTERM");
  }
  await checkDjangoAlone();

  await checkRefusals();
  await checkLife(first, facts, tokens);
}

/** The commands that `dev` printed, pasted in order into one shell that has curl and POSIX utilities alone. */
async function checkWelcome(first) {
  const blocks = await check("the welcome prints commands with the status to expect", async () => {
    const found = () => [...first.stdout().matchAll(/^# (\d+)\. (.+): expect (\d{3})\n((?:[^\n]+\n)+)(?=\n)/gm)];
    await until("the welcome", 10_000, () => found().length >= 6);
    const statuses = found().map(([, , , status]) => status);
    for (const status of ["200", "401", "403"]) assert.ok(statuses.includes(status), `no command expects ${status}`);
    return found();
  });
  if (!blocks) return;
  const tools = path.join(folder, "tools");
  mkdirSync(tools);
  for (const name of "sh curl sed grep cut tr awk cat head tail printf test expr mktemp rm".split(" ")) {
    const found = process.env.PATH.split(":").map((place) => path.join(place, name)).find((file) => existsSync(file));
    if (found) symlinkSync(found, path.join(tools, name));
  }
  const mark = "== after ";
  const paste = ([, number, , , commands]) => `${commands}\nprintf '\\n${mark}%s\\n' ${number}\n`;
  const env = { PATH: tools, HOME: folder };
  const shell = spawnSync("sh", [], { input: blocks.map(paste).join(""), env, cwd: folder, encoding: "utf8" });
  const outputs = shell.stdout.split(new RegExp(`^${mark}\\d+\n`, "m"));
  for (const [index, [, number, title, status]] of blocks.entries()) {
    await check(`pasted: ${number}. ${title}: ${status}`, () => {
      const printed = outputs[index]?.trimEnd() ?? "";
      for (const [token] of printed.matchAll(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g)) secret(token);
      assert.equal(printed.split("\n").at(-1).slice(-3), status, `${printed.slice(-300)} ${shell.stderr.slice(-300)}`);
    });
  }
}

/** What `dev` refuses, with one clear sentence and without touching anything. */
async function checkRefusals() {
  const other = { issuer: await freePort(), api: await freePort() };
  const elsewhere = path.join(folder, "elsewhere");
  const plain = path.join(folder, "plain");
  writeFileSync(plain, "a file, not a folder\n");
  const taken = { issuer: ports.issuer, api: other.api };
  const cases = [
    ["the issuer's port in use", devArguments(elsewhere, taken), String(ports.issuer)],
    ["the API's port in use", devArguments(elsewhere, { ...other, api: ports.api }), String(ports.api)],
    ["a data folder that is a file", devArguments(plain, other), plain],
    ["an open address without --expose", ["dev", "--data", elsewhere, `--listen=0.0.0.0:${other.issuer}`], "--expose"],
  ];
  for (const [what, args, names] of cases) {
    await check(`${what}: one sentence that names it, and a non-zero exit`, async () => {
      sentence(await refused(args), names);
    });
  }
  await check("a refused start leaves no dev.json and overwrites nothing", () => {
    assert.ok(!existsSync(path.join(elsewhere, "dev.json")));
    assert.equal(readFileSync(plain, "utf8"), "a file, not a folder\n");
  });
}

/** Stopping, starting again, being killed, and a database that is damaged. */
async function checkLife(first, facts, tokens) {
  const same = (again) => {
    // The link into the console works once, so that each run makes its own.
    const { console_url: before, ...kept } = facts;
    const { console_url: now, ...found } = again.facts;
    assert.deepEqual(found, kept);
    assert.match(now, /\/console\/link\?key=/);
    assert.notEqual(now, before);
  };
  const works = async (token) => {
    const url = `${new URL(facts.api_url).origin}/api/private`;
    assert.equal((await request("GET", url, { headers: bearer(token) })).status, 200);
  };

  await check("SIGTERM: a request in flight is answered, the exit is 0, dev.json is gone", async () => {
    const { audience, applications } = facts;
    const body = { grant_type: "client_credentials", audience, ...applications.sample };
    const flight = await halfRequest(new URL(facts.token_url), JSON.stringify(body));
    const ended = first.end("SIGTERM");
    await until("dev.json to go", 10_000, () => !existsSync(first.file));
    assert.match(await flight.finish(), /^HTTP\/1\.1 200 /);
    assert.deepEqual(await ended, { code: 0, signal: null });
  });
  const second = await check("a second run finds everything as it was, and takes the first run's token", async () => {
    const again = await startDev(data, ports);
    same(again);
    await works(tokens.full);
    return again;
  });
  const third = await check("kill -9, then a start: everything is there, the stale dev.json is replaced", async () => {
    await second.end("SIGKILL");
    assert.ok(existsSync(second.file));
    const again = await startDev(data, ports);
    same(again);
    await works(tokens.full);
    return again;
  });
  await check("Ctrl-C: the exit is 0, dev.json is gone", async () => {
    assert.deepEqual(await third.end("SIGINT"), { code: 0, signal: null });
    assert.ok(!existsSync(third.file));
  });
  await check("a damaged database: one sentence, a non-zero exit, no byte changed", async () => {
    const broken = path.join(folder, "broken");
    cpSync(data, broken, { recursive: true });
    const isDatabase = (name) => readFileSync(path.join(broken, name)).subarray(0, 15).toString() === "SQLite format 3";
    const name = readdirSync(broken).filter((name) => statSync(path.join(broken, name)).isFile()).find(isDatabase);
    const file = path.join(broken, name);
    const before = readFileSync(file);
    before.fill(0x5a, 0, Math.min(4096, before.length));
    writeFileSync(file, before);
    sentence(await refused(devArguments(broken, ports)), name);
    assert.ok(readFileSync(file).equals(before), "the damaged file was changed");
  });
  await check("--fresh --yes starts anew in a folder that dev made", async () => {
    const fresh = await startDev(data, ports, ["--fresh", "--yes"]);
    assert.notEqual(remember(fresh.facts).applications.sample.client_id, facts.applications.sample.client_id);
    await fresh.end("SIGTERM");
  });
  await check("--fresh leaves a folder alone that dev did not make", async () => {
    const precious = path.join(folder, "precious");
    mkdirSync(precious);
    writeFileSync(path.join(precious, "thesis.txt"), "years of work\n");
    sentence(await refused(devArguments(precious, ports, ["--fresh", "--yes"])), precious);
    assert.equal(readFileSync(path.join(precious, "thesis.txt"), "utf8"), "years of work\n");
  });
  await check("--version names the version and the commit", async () => {
    const version = start(first.child.spawnfile, ["--version"], { log: "quickstart-refused.log" });
    assert.equal((await version.ended).code, 0);
    assert.match(version.stdout(), /^tokenhouse \d+\.\d+\.\d+ .*[0-9a-f]{7,}/);
  });
}

function sentence(how, names) {
  assert.ok(how.code > 0, `exit ${how.code} ${how.signal ?? ""}`);
  assert.ok(!/panicked|RUST_BACKTRACE/.test(how.stderr), "it panicked");
  assert.ok(how.sentence.includes(names), `'${how.sentence}' does not name ${names}`);
}

function remember(facts) {
  for (const { client_secret } of Object.values(facts.applications)) secret(client_secret);
  return facts;
}

/** A request whose head was sent and whose body waits for `finish`, which answers what came back. */
async function halfRequest(url, body) {
  const socket = net.connect(Number(url.port), "127.0.0.1");
  let answer = "";
  socket.setEncoding("utf8").on("data", (text) => (answer += text));
  const closed = new Promise((resolve, reject) => socket.once("close", resolve).once("error", reject));
  await new Promise((resolve) => socket.once("connect", resolve));
  const head = [
    `POST ${url.pathname} HTTP/1.1`,
    `Host: ${url.host}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Expect: 100-continue",
    "Connection: close",
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  await until("100 Continue", 5_000, () => answer.includes("\r\n\r\n"));
  assert.match(answer, /^HTTP\/1\.1 100 /);
  answer = "";
  const finish = async () => {
    socket.write(body);
    await closed;
    secret(/"access_token":"([^"]+)"/.exec(answer)?.[1]);
    return answer;
  };
  return { finish };
}
