// Runs schemathesis against the house that with-house.mjs started, and says what it found:
//   node checks.mjs SCHEMATHESIS

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { check, redact, secret, totals } from "../quickstart/check.mjs";

const CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"];
const SEED = 1;
const [schemathesis, long] = process.argv.slice(2);
/** Cases that must have been sent, and how many are made up for each operation beside those at its bounds. */
const [CASES, PER_OPERATION, WORKERS] = long ? [20_000, 160, 1] : [2_000, 8, 1];
const house = JSON.parse(readFileSync(process.env.TOKENHOUSE_HOUSE, "utf8"));
const here = path.dirname(fileURLToPath(import.meta.url));

await check(`schemathesis: ${CASES} cases, no 5xx, no status or content that is not documented`, async () => {
  const token = await managementToken();
  const said = await runSchemathesis({ TOKENHOUSE_TOKEN: token, TOKENHOUSE_GRANT: await grantOfAdministrator(token) });
  const generated = Number(/(\d+) generated/.exec(said)?.[1]);
  assert.ok(generated >= CASES, `${generated} cases were sent`);
  console.log(`      ${generated} cases`);
  await grantOfAdministrator(token); // A run that had locked itself out would have been answered 401 from there on.
});
process.exit(totals());

async function runSchemathesis(env) {
  const folder = mkdtempSync(path.join(os.tmpdir(), "tokenhouse-schemathesis-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const all = ["--config-file", path.join(here, "schemathesis.toml"), "run", `${house.management.audience}openapi.json`];
  all.push("--checks", CHECKS.join(), "--max-examples", `${PER_OPERATION}`, "--seed", `${SEED}`, "--no-shrink", "--no-color");
  all.push("--workers", `${WORKERS}`); // No --max-time: it would go on until that is spent.
  all.push("--suppress-health-check", "all"); // How fast this machine makes up requests is not what is tested.
  if (house.ca_file) all.push("--tls-verify", house.ca_file);
  const options = { cwd: folder, encoding: "utf8", env: { ...process.env, SCHEMATHESIS_HOOKS: path.join(here, "hooks.py"), ...env }, maxBuffer: 64 * 1024 * 1024 };
  // Not the waiting kind: this process would not hear that the server has closed its idle connection, and use it again.
  const done = await promisify(execFile)(schemathesis, all, options).catch((failed) => failed);
  const said = redact(`${done.stdout}${done.stderr}`);
  if (done instanceof Error) console.log(said.slice(0, 8_000));
  assert.ok(!(done instanceof Error), "schemathesis found something: see above");
  return said;
}

async function grantOfAdministrator(token) {
  const { audience, client_id } = house.management;
  const query = new URLSearchParams({ client_id, audience });
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${audience}client-grants?${query}`, { headers, signal: AbortSignal.timeout(15_000) });
  assert.equal(answer.status, 200, `client-grants answered ${answer.status}`);
  const [{ id }] = await answer.json();
  return id;
}

async function managementToken() {
  const body = JSON.stringify({ grant_type: "client_credentials", ...house.management });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(house.token_url, { method: "POST", headers, body, signal: AbortSignal.timeout(15_000) });
  assert.equal(answer.status, 200, `the token endpoint answered ${answer.status}`);
  secret(house.management.client_secret);
  return secret((await answer.json()).access_token);
}
