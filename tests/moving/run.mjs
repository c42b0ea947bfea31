// Users stream in: tokenhouse import auth0 FILE, watched from outside.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { check, totals } from "../quickstart/check.mjs";
import { binary, freePort, start, startDev } from "../quickstart/house.mjs";

const USERS = Number(process.argv[2] ?? 100_000);
/** Lines that hold no user. */
const BAD = [6, Math.floor(USERS / 2), USERS];
/** Most memory that an import may ever have had, however long its file: a small multiple of what it takes for 1 000. */
const MAX_KIB = 64 * 1024;
/** A bcrypt hash, as Auth0 exports it; nobody signs in here. */
const HASH = "$2b$10$abcdefghijklmnopqrstuuXHqN1g2eQd4p2l2nq0fQw8m8n3v5V7K";

const folder = mkdtempSync(path.join(os.tmpdir(), "tokenhouse-moving-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const data = path.join(folder, "data");
const house = await startDev(data, { issuer: await freePort(), api: await freePort() });
await house.end("SIGTERM");
const file = path.join(folder, "users.json");
write(file);

await check("an import that is killed goes on where it was when it is asked for again", async () => {
  const killed = start(binary, importing(), { log: "moving-import.log", env: { TOKENHOUSE_LOG__LEVEL: "info" } });
  const kept = `${file}.progress.json`;
  for (let waited_ms = 0; !existsSync(kept) && waited_ms < 60_000; waited_ms += 20) await pause(20);
  await pause(500);
  killed.child.kill("SIGKILL");
  await killed.ended;
  assert.ok(existsSync(kept), "it ended before it could be killed, or never began");
});
let said, took_s;
await check(`${USERS} users come in, and memory stays below ${MAX_KIB / 1024} MiB`, async () => {
  const began = Date.now();
  const going = start(binary, importing(), { log: "moving-import.log", env: { TOKENHOUSE_LOG__LEVEL: "info" } });
  let over = false;
  going.ended.then(() => (over = true));
  const seen = [];
  while (!over) {
    const kib = residentKib(going.child.pid);
    if (kib) seen.push(kib);
    await pause(100);
  }
  took_s = (Date.now() - began) / 1000;
  assert.match(going.stderr(), /Going on at line \d+/);
  said = JSON.parse(going.stdout());
  const most = Math.max(...seen);
  console.log(`      ${took_s.toFixed(1)} s for what was left, at most ${(most / 1024).toFixed(0)} MiB`);
  assert.ok(seen.length > 0 && most <= MAX_KIB, `${most} KiB`);
});
await check("every user is there once, and what is no user is in the reject file by its line", async () => {
  // Those whose batch was written when the kill came are there already, and unchanged.
  const taken = said.inserted + said.unchanged + said.updated;
  assert.equal(taken, USERS - BAD.length, JSON.stringify(said));
  assert.equal(said.rejected, BAD.length);
  const rejects = readFileSync(`${file}.rejects.ndjson`, "utf8").trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(rejects.map(({ line }) => line), BAD);
  const searched = ["users", "search", "--query", `email:"user${USERS - 2}@example.org"`, "--data", data, "--json"];
  const last = JSON.parse(execFileSync(binary, searched, { encoding: "utf8" }));
  assert.equal((last.users ?? last).length, 1);
});
await check("the same file again finds everybody there, and takes no longer", async () => {
  const began = Date.now();
  const going = start(binary, importing(), { log: "moving-import.log", env: { TOKENHOUSE_LOG__LEVEL: "info" } });
  await going.ended;
  const again_s = (Date.now() - began) / 1000;
  const again = JSON.parse(going.stdout());
  assert.deepEqual([again.unchanged, again.inserted, again.updated], [USERS - BAD.length, 0, 0], JSON.stringify(again));
  assert.ok(existsSync(`${file}.rejects-2.ndjson`), "the first file of rejects is left alone");
  console.log(`      ${again_s.toFixed(1)} s`);
  // A look at every user for each would take days.
  assert.ok(again_s < 10 + 5 * took_s, `${again_s} s, and ${took_s} s at first`);
});
process.exit(totals());

function importing() {
  return ["import", "auth0", file, "--data", data, "--json"];
}

/** An object in each line, written in parts so that this process stays small as well. */
function write(name) {
  const out = openSync(name, "w");
  let part = [];
  for (let line = 1; line <= USERS; line += 1) {
    const number = line - 1;
    const user = { user_id: `u${number}`, email: `user${number}@example.org`, email_verified: true, password_hash: HASH };
    part.push(BAD.includes(line) ? '{"email":"nobody"}' : JSON.stringify({ ...user, app_metadata: { plan: "free" } }));
    if (part.length === 10_000 || line === USERS) {
      writeSync(out, `${part.join("\n")}\n`);
      part = [];
    }
  }
  closeSync(out);
}

/** What a process has had of memory at most; nothing once it is over. */
function residentKib(pid) {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  } catch {
    return undefined;
  }
}
