// An issuer of its own for the tests: starts `tokenhouse dev --memory`, gets tokens from it, steers it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const program = process.env.TOKENHOUSE ?? "tokenhouse";
const seed = fileURLToPath(new URL("../seed.toml", import.meta.url));

/** Starts the issuer; its first line says where it is and which applications there are. */
export async function startDouble() {
  const args = ["dev", "--memory", "--port", "0", "--seed", seed, "--json"];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  const kill = () => child.kill();
  process.once("exit", kill);
  const ended = once(child, "exit");
  const over = ended.then(([code]) => Promise.reject(new Error(`${program} ended with ${code}: see above`)));
  const [line] = await Promise.race([once(createInterface(child.stdout), "line"), over]);
  over.catch(() => {}); // from here on it ends when it is stopped
  const facts = JSON.parse(line);

  /** An access token of a seeded application; `fields` adds to the request or changes it. */
  async function token(application, fields = {}) {
    const ours = { grant_type: "client_credentials", audience: facts.audience, ...facts.applications[application] };
    const body = new URLSearchParams({ ...ours, ...fields });
    const response = await fetch(facts.token_url, { method: "POST", body });
    if (!response.ok) throw new Error(`no token: ${response.status} ${await response.text()}`);
    return (await response.json()).access_token;
  }

  /** A request under `/dev/`: faults, rotations, the clock. */
  async function steer(method, path, json) {
    const headers = { "tokenhouse-dev": "1", ...(json && { "content-type": "application/json" }) };
    const response = await fetch(new URL(path, facts.dev_url), { method, headers, body: json && JSON.stringify(json) });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  }

  async function stop() {
    process.removeListener("exit", kill);
    kill();
    await ended;
  }

  return { ...facts, token, steer, stop };
}
