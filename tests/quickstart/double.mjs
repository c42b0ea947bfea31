// `tokenhouse dev --memory --port 0`: a house for one test, steered under `/dev/`.

import path from "node:path";

import { secret } from "./check.mjs";
import { binary, start, top, until } from "./house.mjs";
import { request } from "./http.mjs";

/** Starts a double with a seed; answers its facts, `token(application, fields)` and `steer(method, path, json)`. */
export async function startDouble({ log, seed = path.join(top, "examples/seed.toml") }) {
  const house = start(binary, ["dev", "--memory", "--port", "0", "--seed", seed, "--json"], { log });
  await until("the double's line on stdout", 20_000, () => house.stdout().includes("\n"));
  const facts = JSON.parse(house.stdout());
  for (const { client_secret } of Object.values(facts.applications)) secret(client_secret);
  for (const { password } of facts.users) secret(password);
  const token = async (application, fields = {}) => {
    const json = { grant_type: "client_credentials", audience: facts.audience, ...facts.applications[application] };
    const answer = await request("POST", facts.token_url, { json: { ...json, ...fields } });
    return secret(answer.json().access_token);
  };
  const steer = async (method, where, json) => {
    const answer = await request(method, `${facts.dev_url}${where}`, { headers: { "tokenhouse-dev": "1" }, json });
    if (answer.status >= 300) throw new Error(`${method} ${where}: ${answer.status} ${answer.text}`);
    return answer;
  };
  return { ...house, facts, token, steer };
}
