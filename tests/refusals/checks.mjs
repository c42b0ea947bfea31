// Says no to everything that it should, as the document of the house that with-house.mjs started has it:
//   node checks.mjs

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { check, totals } from "../quickstart/check.mjs";
import { ask, expect, forEach, requests } from "./asking.mjs";
import { unknown, wrongValues } from "./bodies.mjs";
import { idsOfThings, operations, same, state } from "./document.mjs";
import { tokenOf, wrongTokens } from "./tokens.mjs";

/** A body that nobody can read: a refusal comes before it is looked at. */
const UNREADABLE = "{";
const PROBLEMS_SHOWN = 5;
const house = JSON.parse(readFileSync(process.env.TOKENHOUSE_HOUSE, "utf8"));
const api = house.management.audience;
const reason = { 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden" };

const prepared = await check("a house with things of every kind, and tokens that are wrong in every way", async () => {
  assert.ok(house.https, "this binary has no `dev --https`");
  const all = await operations(api);
  const { token } = await tokenOf(house, house.management);
  const tokens = await wrongTokens(house, token);
  const { scopes } = await expect(200, "GET", `${api}resource-servers/${encodeURIComponent(api)}`, { token });
  const byScope = new Map();
  for (const { value } of scopes) byScope.set(value, await narrow([value]));
  assert.ok(byScope.size > 50, `the Management API has ${byScope.size} scopes`);
  return { all, token, tokens, byScope, ids: await idsOfThings(api, token, house) };
});
if (prepared) await checkAll(prepared);
console.log(`      ${requests()} requests`);
process.exit(totals());

async function checkAll({ all, token, tokens, byScope, ids }) {
  const before = await check("what the house holds can be read", () => state(all, ids, token));
  await checkTokens(all, tokens, ids);
  await checkScopes(all, byScope, ids);
  await check("none of these requests has changed anything", async () => same(before, await state(all, ids, token)));
  const writes = all.filter(({ schema }) => schema);
  await check("the document has bodies", () => assert.ok(writes.length > 20, `${writes.length} operations take one`));
  for (const operation of writes) await checkBodies(operation, token, ids);
  await check("none of these bodies has changed anything", async () => same(before, await state(all, ids, token)));
}

/** A token that opens nothing is refused by every operation, whether or not there is what its path names. */
async function checkTokens(all, tokens, ids) {
  for (const [name, token, message] of tokens) {
    const asked = all.flatMap((operation) => [[operation, ids], [operation, {}]]);
    const about = token && { attributes: { error: message } };
    await check(`${name}: 401 from every operation, "${message}"`, () =>
      refused(asked, ([operation, ids]) => send(operation, ids, token, { statusCode: 401, message, ...about })),
    );
  }
}

/** Tokens of the administrator with fewer scopes. */
async function checkScopes(all, byScope, ids) {
  await check("a token with all scopes but those of the operation: 403, and they are named", async () => {
    const others = new Map();
    for (const { scopes } of all) {
      const key = scopes.join();
      if (!others.has(key)) others.set(key, await narrow([...byScope.keys()].filter((scope) => !scopes.includes(scope))));
    }
    const asked = all.flatMap((operation) => [[operation, ids], [operation, {}]]);
    await refused(asked, ([operation, ids]) => send(operation, ids, others.get(operation.scopes.join()), insufficient(operation)));
  });
  const pairs = [...byScope].flatMap(([scope, token]) => all.map((operation) => ({ scope, token, operation })));
  const opens = ({ scope, operation }) => operation.scopes.includes(scope);
  await check(`a token with one scope, for each of ${byScope.size}: 403 from every operation that it does not open`, () =>
    refused(pairs.filter((pair) => !opens(pair)), ({ token, operation }) => send(operation, ids, token, insufficient(operation))),
  );
  // Otherwise a house that refuses everybody would pass. What has neither GET nor a body would be done, and is left out.
  const harmless = ({ operation }) => operation.method === "GET" || operation.schema;
  await check("a token with one scope opens what it should", () =>
    refused(pairs.filter((pair) => opens(pair) && harmless(pair)), async ({ scope, token, operation }) => {
      const answer = await ask(operation.method, operation.url(ids), { token, text: operation.schema && UNREADABLE });
      return problem(`${operation.name} with ${scope}`, answer, () => {
        assert.ok(answer.status !== 401 && answer.status < 500);
        assert.ok(!answer.text.includes(insufficient(operation).message));
      });
    }),
  );
}

/** Every property of a body, wrong in every way that its schema knows. */
async function checkBodies(operation, token, ids) {
  const bodies = [...wrongValues(operation.schema), ...operation.fixed.map((name) => unknown({}, name))];
  await check(`${operation.name}: ${bodies.length} bodies with one thing wrong, 400 that names it`, () =>
    refused(bodies, async ({ value, at, says }) => {
      const answer = await ask(operation.method, operation.url(ids), { token, json: value });
      return problem(`${JSON.stringify(value).slice(0, 120)}`, answer, () => {
        assert.equal(answer.status, 400);
        const { message, ...rest } = answer.json();
        assert.deepEqual(rest, { statusCode: 400, error: reason[400], errorCode: "invalid_body" });
        assert.match(message, place(at), "it names another property, or none");
        assert.ok(message.includes(says), `it does not say "${says}"`);
      });
    }),
  );
}

/** Sends a request that must be refused so; answers what is wrong with the answer. */
async function send(operation, ids, token, wanted) {
  const answer = await ask(operation.method, operation.url(ids), { token, text: operation.schema && UNREADABLE });
  const challenge = answer.headers["www-authenticate"] ?? "";
  const code = wanted.statusCode === 403 ? "insufficient_scope" : token && "invalid_token";
  return problem(`${operation.method} ${operation.url(ids)}`, answer, () => {
    assert.equal(answer.status, wanted.statusCode);
    assert.deepEqual(answer.json(), { error: reason[wanted.statusCode], ...wanted });
    assert.match(answer.headers["content-type"], /^application\/json/);
    assert.ok(challenge.startsWith('Bearer realm="api/v2"'), challenge);
    assert.ok(code ? challenge.includes(`error="${code}"`) : !challenge.includes("error="), challenge);
  });
}

/** What was asked and answered, and which of the promises of `body` it breaks; nothing if none. */
function problem(what, { status, text }, body) {
  try {
    body();
    return undefined;
  } catch (error) {
    return `${what}: ${status} ${text.slice(0, 300)} (${error.message.split("\n")[0]})`;
  }
}

/** Asks all of these, and fails with what was answered wrongly. */
async function refused(asked, question) {
  const problems = [];
  await forEach(asked, async (one) => {
    const problem = await question(one);
    if (problem) problems.push(problem);
  });
  assert.ok(asked.length > 0, "nothing was asked");
  const shown = problems.slice(0, PROBLEMS_SHOWN).map((problem) => `\n      ${problem}`);
  assert.ok(problems.length === 0, `${problems.length} of ${asked.length}${shown.join("")}`);
}

function insufficient({ scopes }) {
  const message = `Insufficient scope, expected any of: ${scopes.join()}`;
  return { statusCode: 403, errorCode: "insufficient_scope", message };
}

async function narrow(scopes) {
  const made = await tokenOf(house, house.management, { scope: scopes.join(" ") });
  assert.deepEqual(made.scopes.sort(), scopes.sort());
  return made.token;
}

/** A message that names this property, perhaps with what it is behind it; for the whole, one that names none. */
function place(at) {
  if (at.length === 0) return /^Payload validation error: '.*'\.$/s;
  const dotted = at.join(".").replaceAll(/[^\w]/g, "\\$&");
  return new RegExp(`^Payload validation error: '.*' on property ${dotted}( \\(.*\\))?\\.$`, "s");
}
