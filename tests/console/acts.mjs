// What is made and changed on the console's pages, as somebody does it: made, changed, removed, and said so each time.
// Every act goes without scripts too.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";

import { secret } from "../quickstart/check.mjs";
import { choose } from "./browser.mjs";

/** What the page says at its head after an act. */
export const said = (page, text) => page.locator(".notice").filter({ hasText: text }).waitFor();

/** Clicks the button of exactly this name. */
export const press = (page, name) => page.getByRole("button", { name, exact: true }).click();

/** The path of the application or the API that the page is about. */
export const pathOf = (page) => /^\/console\/(applications|apis)\/[^/]+/.exec(new URL(page.url()).pathname)[0];

/** The id in it. */
export const idOf = (path) => decodeURIComponent(path.split("/").at(-1));

/** Makes a Machine to Machine application: its path. */
export async function made(page, name) {
  await page.goto("/console/applications/new");
  await page.locator("#name").fill(name);
  await page.locator("input[name=kind][value=non_interactive]").check();
  await press(page, "Create application");
  await said(page, "The application is created");
  return pathOf(page);
}

/** An application: made by its kind, changed, deleted only by its name. */
export async function application(page, name) {
  const path = await made(page, name);
  // What was sent was answered by a page of its own: showing it again sends nothing.
  await page.reload();
  await page.goto(path);
  await page.locator("#description").fill("Moves orders at night");
  await press(page, "Save");
  await said(page, "Saved");
  assert.equal(await page.locator("#description").inputValue(), "Moves orders at night");

  await page.locator("#delete-name").fill("another name");
  await press(page, "Delete the application");
  await page.getByText("Nothing was deleted").waitFor();
  await removed(page, path, name);
  assert.equal((await page.goto(path)).status(), 404);
}

async function removed(page, path, name) {
  await page.goto(path);
  await page.locator("#delete-name").fill(name);
  await press(page, "Delete the application");
  await said(page, "The application is deleted");
}

/** The APIs that an application may call: let in, a permission ticked, put out again. */
export async function access(page, name, audience) {
  const path = await made(page, name);
  const granted = await authorized(page, path, audience);
  await granted.locator("summary").click();
  await granted.getByLabel("read:messages", { exact: true }).check();
  await granted.getByRole("button", { name: "Save" }).click();
  await said(page, "Saved");
  await granted.getByText("1 of 2 permissions").waitFor();
  await granted.getByRole("button", { name: /^Withdraw/ }).click();
  await said(page, "gets no more tokens");
  assert.equal(await granted.count(), 0);
  await removed(page, path, name);
}

/** Lets an application call an API: what its page says of it from then on. */
export async function authorized(page, path, audience) {
  await page.goto(`${path}/apis`);
  await page.locator("#audience").selectOption(audience);
  await press(page, "Authorize");
  await said(page, "may ask for tokens");
  return page.locator("article").filter({ hasText: audience });
}

/** A secret: shown on demand, rotated with a time in which both work, the older one ended before that. */
export async function secrets(page, name, audience) {
  const path = await made(page, name);
  await authorized(page, path, audience);
  await page.goto(`${path}/credentials`);
  assert.equal(await page.locator("#secret").count(), 0);
  const shown = async () => {
    await press(page, "Show the secret");
    return secret(await page.locator("#secret").textContent());
  };
  const works = async (client_secret) => {
    const asked = { grant_type: "client_credentials", client_id: idOf(path), client_secret, audience };
    return (await page.request.post("/oauth/token", { data: asked })).status() === 200;
  };
  const older = await shown();
  await page.locator("#grace_hours").selectOption("1");
  await press(page, "Rotate the secret");
  await said(page, "There is a new secret");
  await page.getByText("An older secret works until").waitFor();
  const newer = await shown();
  assert.notEqual(newer, older);
  assert.deepEqual([await works(older), await works(newer)], [true, true], "both work for an hour");
  await press(page, "End it now");
  await said(page, "The older secret works no longer");
  assert.equal(await page.getByText("An older secret works until").count(), 0);
  assert.deepEqual([await works(older), await works(newer)], [false, true], "the older one was ended");
  await removed(page, path, name);
}

/** A public key: pasted, in the secret's place from then on, and removed. */
export async function publicKey(page, name) {
  const path = await made(page, name);
  await page.goto(`${path}/credentials`);
  await page.locator("#key-name").fill("build server");
  await page.locator("#pem").fill(pem());
  await press(page, "Add the key");
  await said(page, "The key is added");
  await page.getByText("A secret would not be accepted").waitFor();
  const key = page.locator("tbody tr").filter({ hasText: "build server" });
  await key.getByText("ES256").waitFor();
  await key.getByRole("button", { name: /^Remove/ }).click();
  await said(page, "The key is removed");
  assert.equal(await key.count(), 0);
  await removed(page, path, name);
}

/** The public half of a new key, in PEM. */
export function pem() {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "pem" });
}

/** An application with a pair of keys that was generated on its page and may call the API: what signs its assertions. */
export async function signer(page, name, audience) {
  const path = await made(page, name);
  await authorized(page, path, audience);
  await page.goto(`${path}/credentials`);
  await press(page, "Generate a key pair");
  const private_key = await page.locator("#private").textContent();
  secret(private_key.split("\n")[1]);
  const kid = await page.locator("tbody th .copied code").textContent();
  return { client_id: idOf(path), private_key, kid };
}

/** An API: made, its permissions added in bulk and one removed, its lifetime changed, an application let in and out. */
export async function api(page, identifier, application) {
  await page.goto("/console/apis/new");
  await page.locator("#name").fill("Orders");
  await page.locator("#identifier").fill(identifier);
  await page.locator("#test_application").uncheck();
  await press(page, "Create API");
  await said(page, "The API is created");
  const path = pathOf(page);

  await page.goto(`${path}/permissions`);
  await page.locator("#added").fill("read:orders Read orders\ncreate:orders Place orders\n");
  await press(page, "Add");
  const permissions = page.locator("tbody th");
  await permissions.nth(1).waitFor();
  await page.getByLabel("Remove create:orders").check();
  await press(page, "Remove the ticked ones");
  await page.getByText("create:orders").and(page.locator("th *")).waitFor({ state: "detached" });
  assert.deepEqual(await permissions.allTextContents(), ["read:orders"]);

  await page.goto(path);
  await page.locator("#token_lifetime").fill("600");
  await press(page, "Save");
  await said(page, "Saved");
  assert.equal(await page.locator("#token_lifetime").inputValue(), "600");

  await page.goto(`${path}/applications`);
  await page.locator("#q").fill(application);
  await press(page, "Find");
  await page.getByRole("button", { name: /^Unauthorized/ }).click();
  await said(page, "may ask for tokens");
  // The row that was changed is open.
  await page.getByLabel("read:orders").check();
  await press(page, "Save");
  await page.getByText("1 of 1 permissions").waitFor();
  await page.getByRole("button", { name: /^Authorized/ }).click();
  await said(page, "gets no more tokens");
  await deleted(page, path, identifier);
}

async function deleted(page, path, identifier) {
  await page.goto(path);
  await page.locator("#delete-name").fill(identifier);
  await press(page, "Delete the API");
  await said(page, "The API is deleted");
}

/** A user: made, blocked and let in again, given another password, deleted. */
export async function user(page, email) {
  await page.goto("/console/users/new");
  await page.locator("#email").fill(email);
  await page.locator("#password").fill("correct horse Battery 9!");
  await press(page, "Create user");
  await said(page, "The user is created");
  await press(page, "Block the user");
  await said(page, "The user is blocked");
  await press(page, "Unblock the user");
  await said(page, "let in again");
  await page.locator("#password").fill("another horse Battery 9!");
  await press(page, "Set the password");
  await said(page, "The new password holds");
  await page.locator("#name").fill(email);
  await press(page, "Delete the user");
  await said(page, "The user is deleted");
}

/** Keys: rotated, which publishes the next one first, then the previous one revoked with what it breaks said. */
export async function keys(page) {
  await rotated(page);
  await said(page, "signs RS256 tokens now");
  await page.getByRole("link", { name: /^Revoke/ }).first().click();
  await page.getByText("A revoked key cannot be brought back").waitFor();
  await press(page, "Revoke the key");
  await said(page, "is revoked");
}

/** Rotates the keys, at once, whatever the page advises. */
export async function rotated(page) {
  await page.goto("/console/keys");
  await page.getByRole("button", { name: /^Rotate RS256/ }).click();
  const hasty = page.getByRole("button", { name: "Rotate RS256 at once" });
  await hasty.or(page.locator(".notice")).first().waitFor();
  if (await hasty.count()) await hasty.click();
  await page.locator(".notice").waitFor();
}

/** The tenant's name, which stands on every page from then on. */
export async function name(page, text) {
  await page.goto("/console/settings");
  const before = await page.locator("#friendly_name").inputValue();
  for (const next of [text, before]) {
    await saved(page, { friendly_name: next });
    assert.equal(await page.locator(".sidebar .brand span").textContent(), next);
  }
}

/** How errors are worded: at the token endpoint from the next request on. */
export async function dialect(page, { client_id }) {
  const refused = { grant_type: "client_credentials", client_id, client_secret: "mistyped" };
  for (const [word, error] of [["rfc6749", "invalid_client"], ["auth0", "access_denied"]]) {
    await page.goto("/console/settings");
    await page.locator(`input[name=error_dialect][value=${word}]`).check();
    await saved(page, {});
    assert.equal(await page.locator("input[name=error_dialect]:checked").inputValue(), word);
    const answer = await page.request.post("/oauth/token", { data: refused });
    assert.equal((await answer.json()).error, error);
  }
}

/** How long things live: what an API begins with that is made from then on, and the console's own sessions. */
export async function lifetimes(page, identifier) {
  await page.goto("/console/settings");
  const chosen = { default_token_lifetime: "900", session_hours: "2", idle_minutes: "10" };
  try {
    await saved(page, chosen);
    for (const [id, value] of Object.entries(chosen)) assert.equal(await page.locator(`#${id}`).inputValue(), value);
    await page.goto("/console/apis/new");
    await page.locator("#identifier").fill(identifier);
    await page.locator("#test_application").uncheck();
    await press(page, "Create API");
    await said(page, "The API is created");
    const path = pathOf(page);
    await page.goto(path);
    assert.equal(await page.locator("#token_lifetime").inputValue(), "900");
    await deleted(page, path, identifier);
  } finally {
    await page.goto("/console/settings");
    await saved(page, { default_token_lifetime: "", session_hours: "", idle_minutes: "" });
  }
}

async function saved(page, fields) {
  for (const [id, value] of Object.entries(fields)) await page.locator(`#${id}`).fill(value);
  await press(page, "Save");
  await said(page, "Saved");
}

/** A language that is picked on one page and kept on the others. */
export async function language(page, testTab) {
  const pick = async (language) => {
    await page.goto("/console/quickstart");
    await choose(page, page.locator("select[name=language]"), language, "Show");
  };
  await pick("python");
  await page.goto(testTab);
  assert.equal(await page.locator("#token-language").inputValue(), "python");
  assert.match(await page.locator("#token-program").textContent(), /import http\.client/);
  await pick("curl");
}
