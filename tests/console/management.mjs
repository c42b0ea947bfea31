// What is made over the Management API, where the pages would take long: a crowd, and a quota that is used up.

import assert from "node:assert/strict";

import { secret } from "../quickstart/check.mjs";

/** A page of a list, and a few more. */
const CROWD = 60;

/** Asks the Management API as the sample administrator: answers what comes back. */
export async function management(base, { applications }) {
  const { access_token } = await token(base, applications.admin, `${base}/api/v2/`);
  secret(access_token);
  return async (method, path, body) => {
    const isForm = body instanceof FormData;
    const headers = { authorization: `Bearer ${access_token}`, ...(!isForm && { "content-type": "application/json" }) };
    const answer = await fetch(`${base}/api/v2/${path}`, { method, headers, body: isForm ? body : body && JSON.stringify(body) });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text.slice(0, 200)}`);
    return text && JSON.parse(text);
  };
}

/** Applications `Till 01` … and users `clerk01@example.org` …: more of both than a page of a list holds. */
export async function crowd(base, facts) {
  const ask = await management(base, facts);
  const numbers = Array.from({ length: CROWD }, (_, at) => String(at + 1).padStart(2, "0"));
  for (const number of numbers) await ask("POST", "clients", { name: `Till ${number}`, app_type: "non_interactive" });
  const [connection] = await ask("GET", "connections?name=Username-Password-Authentication");
  const form = new FormData();
  form.set("connection_id", connection.id);
  const users = numbers.map((number) => ({ email: `clerk${number}@example.org`, email_verified: true }));
  form.set("users", new Blob([JSON.stringify(users)], { type: "application/json" }), "users.json");
  await ask("POST", "jobs/users-imports", form);
}

/** Gives an application a quota that it has used up. */
export async function quota(base, facts) {
  const { reader } = facts.applications;
  const ask = await management(base, facts);
  const token_quota = { client_credentials: { enforce: true, per_hour: 3, per_day: 40 } };
  await ask("PATCH", `clients/${reader.client_id}`, { token_quota });
  for (let count = 0; count < 4; count += 1) await token(base, reader, facts.audience);
}

/** What the token endpoint answers an application that asks for a token of its own. */
export async function token(base, { client_id, client_secret }, audience) {
  const asked = { grant_type: "client_credentials", client_id, client_secret, audience };
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${base}/oauth/token`, { method: "POST", headers, body: JSON.stringify(asked) });
  assert.ok(answer.status < 500, `the token endpoint: ${answer.status}`);
  return answer.json();
}
