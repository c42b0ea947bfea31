// What is tried out: an API's Test tab, the Quickstart, every flow of the Debugger, the inspector. Without scripts too.

import assert from "node:assert/strict";

import { secret } from "../quickstart/check.mjs";
import { press } from "./acts.mjs";
import { token } from "./management.mjs";

/** The token on a Test tab, once it is there. */
export async function issued(page) {
  return secret(await page.locator("#access-token").textContent());
}

/** The claims of a token. */
const claims = (jwt) => JSON.parse(Buffer.from(jwt.split(".")[1], "base64url"));

/** Sends the call of a Test tab: what was sent and what came back, under this explanation. */
async function called(page, heading) {
  await press(page, "Send");
  await page.locator(".why h3").filter({ hasText: heading }).waitFor();
  return page.locator(".exchange").textContent();
}

/** A token for a user, with their password: in their name at the API; a wrong password is explained. */
export async function forUser(page, testTab, { client_id }, { username, password }) {
  const ask = async (password) => {
    await page.goto(`${testTab}?application=${client_id}`);
    await page.locator("#for-user").check();
    await page.locator("#username").fill(username);
    await page.locator("#user-password").fill(password);
    await press(page, "Issue a token");
  };
  await ask("mistyped");
  await page.getByText("No user has this name and this password").waitFor();
  await ask(password);
  const { sub, gty } = claims(await issued(page));
  assert.match(sub, /^auth0\|/);
  assert.equal(gty, "password");
  const text = await called(page, "The API took the call");
  assert.match(text, /HTTP\/1\.1 200 OK/);
  assert.ok(text.includes(`Hello, ${sub}`), text);
}

/** What the API says to a call without a token, and to one whose token has another scope: 401 and 403, explained. */
export async function refusals(page, testTab, { client_id }) {
  await page.goto(`${testTab}?application=${client_id}`);
  assert.match(await called(page, "The API does not take the token"), /HTTP\/1\.1 401 Unauthorized/);

  await page.goto(`${testTab}?application=${client_id}`);
  await page.locator("input[name=scope][value='write:messages']").check();
  await press(page, "Issue a token");
  assert.equal(claims(await issued(page)).scope, "write:messages");
  await scoped(page);
  assert.match(await called(page, "The token does not allow this"), /HTTP\/1\.1 403 Forbidden/);
  await page.getByText("this route wants read:messages and the token has the scopes write:messages").waitFor();
}

/** Names the sample API's route that wants a scope. */
export async function scoped(page) {
  const url = page.locator("#url");
  await url.fill((await url.inputValue()).replace(/private$/, "private-scoped"));
}

/** The five requests of the Quickstart, each run from the page. */
export async function quickstart(page, { username, password }) {
  await page.goto("/console/quickstart");
  const run = async (request, status) => {
    await page.locator(`button[value=${request}]`).click();
    await page.locator(`#${request} .exchange .tag`).filter({ hasText: String(status) }).waitFor();
  };
  await run("get-private-no-token", 401);
  await run("token-client-credentials", 200);
  await run("get-private", 200);
  await run("get-private-scoped", 200);
  await page.locator("#username").fill(username);
  await page.locator("#user-password").fill(password);
  await run("token-password", 200);
}

const password = ({ applications, user, audience }) => ({
  client_id: applications.password.client_id,
  username: user.username,
  password: user.password,
  audience,
  scope: "openid email",
});

/** Every flow of the Debugger: what is typed, and what is on the page when it was answered with 200. `held` is what earlier
 * ones got. */
export const FLOWS = {
  "client-credentials": {
    typed: ({ applications, audience }) => ({ client_id: applications.sample.client_id, audience, scope: "read:messages" }),
    shows: ["Access token", "the application itself, which acts for no user", "read:messages"],
  },
  "private-key-jwt": {
    typed: ({ audience }, { signer }) => ({ ...signer, audience }),
    shows: ["The assertion", "Access token"],
  },
  password: { typed: password, shows: ["Access token", "ID token", "The user's e-mail address."] },
  "password-realm": {
    typed: (facts) => ({ ...password(facts), realm: "Username-Password-Authentication" }),
    shows: ["Access token", "ID token", "The user's e-mail address."],
  },
  userinfo: { typed: (_, { access_token }) => ({ Authorization: access_token }), shows: ['"email"', "user@example.com"] },
  jwks: { typed: () => ({}), shows: ['"keys"', '"kid"'] },
  "openid-configuration": { typed: () => ({}), shows: ['"userinfo_endpoint"'] },
  "oauth-authorization-server": { typed: () => ({}), shows: ['"token_endpoint"'] },
};

/** The flows that the Debugger lists, by their ids. */
export async function flows(page) {
  await page.goto("/console/debugger");
  const links = await page.locator(".flows a").evaluateAll((all) => all.map((one) => one.getAttribute("href")));
  return links.map((link) => link.replace("/console/debugger/", ""));
}

/** Fills in a flow and sends it: answered with 200 and all that it shows. Keeps the access token of a password flow. */
export async function flow(page, id, facts, held) {
  const { typed, shows } = FLOWS[id];
  await page.goto(`/console/debugger/${id}`);
  for (const [field, value] of Object.entries(typed(facts, held))) await page.locator(`#${field}`).fill(value);
  await page.locator("section button[value=send]").click();
  const status = page.locator(".exchange .tag");
  await status.waitFor();
  assert.equal(await status.textContent(), "200 OK", await page.locator("#answer").textContent());
  const text = await page.locator("main").textContent();
  for (const shown of shows) assert.ok(text.includes(shown), `${shown} is not on the page`);
  if (id !== "password") return;
  const [, body] = (await page.locator(".exchange pre").nth(1).textContent()).split("\n\n");
  held.access_token = secret(JSON.parse(body).access_token);
}

/** A token of the Debugger, taken on to the inspector: every check passes. */
export async function inspected(page, { client_id }) {
  await page.goto("/console/debugger/client-credentials");
  await page.locator("#client_id").fill(client_id);
  await page.locator("section button[value=send]").click();
  await page.getByRole("button", { name: "Inspect it" }).click();
  await page.getByText(/^Accepted: /).waitFor();
  assert.equal(await page.locator(".checks li").count(), await page.locator(".checks li.passed").count());
}

/** The inspector: a good token, an expired one and one for another API, each with the check that fails. */
export async function inspector(page, base, { applications, audience }) {
  const headers = { "content-type": "application/json", "tokenhouse-dev": "1" };
  const flawed = async (is) => {
    const answer = await fetch(`${base}/dev/faults/next_token`, { method: "PUT", headers, body: JSON.stringify({ is }) });
    assert.ok(answer.ok, `the fault ${is}: ${answer.status}`);
  };
  for (const [flaw, verdict, failed] of [
    [undefined, /^Accepted/, []],
    ["expired", /^Refused/, ["expiry"]],
    ["wrong_audience", /^Refused/, ["audience"]],
  ]) {
    await page.goto("/console/debugger/token");
    if (flaw) await flawed(flaw);
    const { access_token } = await token(base, applications.sample, audience);
    await page.locator("#token").fill(secret(access_token));
    await page.locator("#audience").selectOption(audience);
    await press(page, "Inspect");
    assert.match(await page.locator("#verdict h2").first().textContent(), verdict);
    assert.deepEqual(await page.locator(".checks .failed strong").allTextContents(), failed);
  }
}

/** A program is copied with its secret, which the page does not hold: only where scripts run. */
export async function copied(page, testTab, { client_id, client_secret }) {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.goto(`${testTab}?application=${client_id}`);
  await press(page, "Issue a token");
  await page.getByRole("button", { name: "Copy with the secret" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  assert.ok((await page.evaluate(() => navigator.clipboard.readText())).includes(client_secret));
  assert.ok(!(await page.content()).includes(client_secret));
}
