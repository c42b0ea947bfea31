// Tokens that open nothing, each wrong in one way, and what the Management API says of it.

import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";

import { secret } from "../quickstart/check.mjs";
import { binary, until } from "../quickstart/house.mjs";
import { ask, expect } from "./asking.mjs";

const NEIGHBOUR = "neighbour.example";
const SETTLE_MS = 10_000;
const INVALID = "Invalid token";
const FORGED = "Invalid signature received for JSON Web Token validation";
/** What `tokenhouse dev` can do to a token on its way out (docs/test-double.md), and what is said of it then. */
const FLAWS = [
  ["that has expired", "expired", "Expired token received for JSON Web Token validation"],
  ["that is not valid yet", "not_yet_valid", INVALID],
  ["for an audience that nobody has", "wrong_audience", "Bad audience: https://wrong-audience.example.com/"],
  ["of another issuer", "wrong_issuer", INVALID],
  ["that another key signed", "wrong_key", FORGED],
  ["of a key that nobody knows", "unknown_key", INVALID],
];

/** A token of an application; `fields` go to the token endpoint, which `host` finds the tenant of. */
export async function tokenOf(house, application, { host, ...fields } = {}) {
  const { client_id, client_secret } = application;
  const { audience } = house.management;
  const json = { grant_type: "client_credentials", audience, client_id, client_secret, ...fields };
  const { access_token, scope } = await expect(200, "POST", house.token_url, { json, host });
  secret(access_token);
  return { token: access_token, scopes: scope?.split(" ") ?? [] };
}

/** `[name, token, message]` of every kind. What is made for them is gone, or shut out, when it answers. */
export async function wrongTokens(house, administrator) {
  const ofNeighbour = await tokensOfNeighbour(house);
  const good = (await tokenOf(house, house.management)).token;
  const other = (await tokenOf(house, house.applications.sample, { audience: house.audience })).token;
  const deleted = await tokenOfDeleted(house, administrator, ({ client_id }) => `clients/${client_id}`);
  const ungranted = await tokenOfDeleted(house, administrator, ({ grant_id }) => `client-grants/${grant_id}`);
  const signed = good.slice(0, good.lastIndexOf(".") + 1);
  const tokens = [
    ["no token", undefined, "Missing authentication"],
    ["rubbish for a token", "rubbish", INVALID],
    ["a token of another tenant", ofNeighbour.own, INVALID],
    ["a token that another tenant made for this API", ofNeighbour.claimed, INVALID],
    ["a token of another API", other, `Bad audience: ${house.audience}`],
    ["a token whose application was deleted since", deleted, INVALID],
    ["a token whose application's grant was deleted since", ungranted, INVALID],
    ["a token with the signature of another", signed + other.slice(other.lastIndexOf(".") + 1), FORGED],
    ["a token without its signature", signed, FORGED],
  ];
  for (const [name, is, message] of FLAWS) {
    await expect(204, "PUT", `${house.dev_url}faults/next_token`, { json: { is }, headers: { "tokenhouse-dev": "1" } });
    tokens.push([`a token ${name}`, (await tokenOf(house, house.management)).token, message]);
  }
  return tokens;
}

/** Of a tenant in the same database: for its own Management API, and for an API that it calls by the name of ours. */
async function tokensOfNeighbour(house) {
  const data = path.dirname(house.ca_file);
  const run = async (...args) => {
    const { stdout } = await promisify(execFile)(binary, [...args, "--data", data, "--json"], { timeout: 30_000 });
    return JSON.parse(stdout || "null");
  };
  await run("tenants", "create", "neighbour", "--issuer", `https://${NEIGHBOUR}/`);
  const there = ["--tenant", "neighbour"];
  const own = `https://${NEIGHBOUR}/api/v2/`;
  const ours = house.management.audience;
  const application = await run("apps", "create", "Their administrator", ...there);
  secret(application.client_secret);
  await run("apis", "create", ours, "--name", "Not ours", "--scope", "read:clients", "--scope", "update:clients", ...there);
  for (const api of [own, ours]) await run("grants", "create", "--app", application.client_id, "--api", api, "--all-scopes", ...there);
  const token = (audience) => tokenOf(house, application, { host: NEIGHBOUR, audience });
  await until("a token of the other tenant", SETTLE_MS, () => token(ours).then(() => true, () => false));
  return { own: (await token(own)).token, claimed: (await token(ours)).token };
}

/** Of an application with every scope, which it has no more: `path` of what is deleted. */
async function tokenOfDeleted(house, token, path) {
  const api = house.management.audience;
  const application = await expect(201, "POST", `${api}clients`, { token, json: { name: "Deleted", app_type: "non_interactive" } });
  secret(application.client_secret);
  const { client_id } = application;
  const json = { client_id, audience: api, allow_all_scopes: true };
  const { id: grant_id } = await expect(201, "POST", `${api}client-grants`, { token, json });
  const made = await tokenOf(house, application);
  const { status } = await ask("GET", `${api}clients`, { token: made.token });
  if (status !== 200) throw new Error(`its token opened nothing before: ${status}`);
  await expect(204, "DELETE", api + path({ client_id, grant_id }), { token });
  return made.token;
}
