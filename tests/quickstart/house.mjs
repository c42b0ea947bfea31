// Starts and stops the programs under test: `tokenhouse dev` and the Django example.

import { spawn } from "node:child_process";
import { mkdirSync, openSync, readFileSync, statSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as pause } from "node:timers/promises";

import { request } from "./http.mjs";

export const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
export const binary = path.resolve(top, process.env.TOKENHOUSE ?? "target/release/tokenhouse");
export const python = path.resolve(top, process.env.PYTHON ?? ".test/venv/bin/python");
const logs = path.resolve(top, ".test/log");
mkdirSync(logs, { recursive: true });

const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

/** A port that was free a moment ago, on both loopback addresses. */
export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a program; `stdout()` is what it printed, `ended` its exit, `{ code, signal }`. Logs go to `.test/log`. */
export function start(command, args, { log, env = {}, cwd = top }) {
  const file = path.join(logs, log);
  const from = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  const child = spawn(command, args, {
    cwd,
    // Everything is said, so that a secret in it would be found.
    env: { ...process.env, TOKENHOUSE_LOG__LEVEL: "trace", ...env },
    stdio: ["ignore", "pipe", openSync(file, "a")],
  });
  running.add(child);
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (printed += text));
  const ended = new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: null, signal: null, error }));
    child.once("exit", (code, signal) => resolve({ code, signal }));
  }).finally(() => running.delete(child));
  const stderr = () => readFileSync(file).subarray(from).toString("utf8");
  return { child, ended, stdout: () => printed, stderr, end: (signal) => end(child, ended, signal) };
}

/** Starts `tokenhouse dev` and waits until it says that it is ready: a new `dev.json`. */
export async function startDev(data, ports, more = []) {
  const file = path.join(data, "dev.json");
  const before = statSync(file, { throwIfNoEntry: false });
  const house = start(binary, devArguments(data, ports, more), { log: "quickstart-server.log" });
  let over;
  house.ended.then((how) => (over = how));
  await until(`${file} within 60 s`, 60_000, () => {
    if (over) throw new Error(`tokenhouse dev ended with ${JSON.stringify(over)}: ${lastLine(house.stderr())}`);
    const now = statSync(file, { throwIfNoEntry: false });
    return now && (now.ino !== before?.ino || now.mtimeMs !== before?.mtimeMs);
  });
  return { ...house, file, mode: statSync(file).mode & 0o777, facts: JSON.parse(readFileSync(file, "utf8")) };
}

export function devArguments(data, ports, more = []) {
  const at = [`--listen=127.0.0.1:${ports.issuer}`, `--api-listen=127.0.0.1:${ports.api}`];
  return ["dev", "--data", data, ...at, ...more];
}

/** Runs a `tokenhouse` that should refuse to start; answers its exit and the last line of its log. */
export async function refused(args) {
  const house = start(binary, args, { log: "quickstart-refused.log" });
  const late = pause(20_000, "late", { ref: false });
  const how = await Promise.race([house.ended, late]);
  if (how === "late") {
    await house.end("SIGKILL");
    throw new Error("still running after 20 s");
  }
  return { ...how, stderr: house.stderr(), sentence: lastLine(house.stderr()) };
}

/** Starts the Django example and waits until it answers; `url` is its address. */
export async function startDjango(env) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const django = start(python, ["manage.py", "runserver", "--noreload", `127.0.0.1:${port}`], {
    log: "django.log",
    cwd: path.join(top, "examples/django-api"),
    env,
  });
  let over;
  django.ended.then((how) => (over = how));
  await until(`Django on ${url} within 30 s`, 30_000, async () => {
    if (over) throw new Error(`Django ended with ${JSON.stringify(over)}: ${lastLine(django.stderr())}`);
    return request("GET", `${url}/api/public`).then(() => true, () => false);
  });
  return { ...django, url };
}

/** Asks again and again until `condition` holds; an error of its own ends the wait. */
export async function until(what, within_ms, condition) {
  const deadline = Date.now() + within_ms;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await pause(25);
  }
}

async function end(child, ended, signal) {
  child.kill(signal);
  const late = pause(20_000, undefined, { ref: false }).then(() => {
    child.kill("SIGKILL");
    throw new Error(`did not end within 20 s of ${signal}`);
  });
  return Promise.race([ended, late]);
}

function lastLine(text) {
  return text.trimEnd().split("\n").at(-1);
}
