// Every page's main act, as somebody does it: made, changed, removed, and said so each time.

import assert from "node:assert/strict";
import path from "node:path";

/** What the page says at its head after an act. */
export const said = (page, text) => page.locator(".notice").filter({ hasText: text }).waitFor();

/** The path of the application that the page is about. */
export const pathOf = (page) => /^\/console\/applications\/[^/]+/.exec(new URL(page.url()).pathname)[0];

const press = (page, name) => page.getByRole("button", { name, exact: true }).click();

/** An application: made by its kind, changed, its secret shown and rotated, deleted only by its name. */
export async function application(page, name) {
  await page.goto("/console/applications/new");
  await page.locator("#name").fill(name);
  await page.locator("input[name=kind][value=non_interactive]").check();
  await press(page, "Create application");
  await said(page, "The application is created");
  // What was sent was answered by a page of its own: showing it again sends nothing.
  await page.reload();
  const path = pathOf(page);
  await page.goto(path);
  await page.locator("#description").fill("Moves orders at night");
  await press(page, "Save");
  await said(page, "Saved");
  assert.equal(await page.locator("#description").inputValue(), "Moves orders at night");

  await page.goto(`${path}/credentials`);
  assert.equal(await page.locator("#secret").count(), 0);
  await press(page, "Show the secret");
  const secret = await page.locator("#secret").textContent();
  await page.locator("#grace_hours").selectOption("1");
  await press(page, "Rotate the secret");
  await said(page, "There is a new secret");
  await page.getByText("An older secret works until").waitFor();
  await press(page, "Show the secret");
  assert.notEqual(await page.locator("#secret").textContent(), secret);

  await page.goto(path);
  await page.locator("#delete-name").fill("another name");
  await press(page, "Delete the application");
  await page.getByText("Nothing was deleted").waitFor();
  await page.locator("#delete-name").fill(name);
  await press(page, "Delete the application");
  await said(page, "The application is deleted");
  assert.equal((await page.goto(path)).status(), 404);
}

/** An API: made, its permissions added in bulk and one removed, its lifetime changed, an application let in and out. */
export async function api(page, identifier, application) {
  await page.goto("/console/apis/new");
  await page.locator("#name").fill("Orders");
  await page.locator("#identifier").fill(identifier);
  await page.locator("#test_application").uncheck();
  await press(page, "Create API");
  await said(page, "The API is created");
  const path = /^\/console\/apis\/[^/]+/.exec(new URL(page.url()).pathname)[0];

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
  await page.goto("/console/keys");
  await page.getByRole("button", { name: /^Rotate RS256/ }).click();
  const hasty = page.getByRole("button", { name: "Rotate RS256 at once" });
  const done = page.locator(".notice");
  await hasty.or(done).first().waitFor();
  if (await hasty.count()) await hasty.click();
  await said(page, "signs RS256 tokens now");
  await page.getByRole("link", { name: /^Revoke/ }).first().click();
  await page.getByText("A revoked key cannot be brought back").waitFor();
  await press(page, "Revoke the key");
  await said(page, "is revoked");
}

/** The log: a line that comes by itself while one looks, opened in full; a filter that holds. */
export async function logs(page, happen) {
  await page.goto("/console/logs");
  await page.locator("#live").waitFor();
  const before = await page.locator("tbody tr").first().locator(".name a").getAttribute("href");
  await happen();
  await page.waitForFunction(
    (before) => document.querySelector("tbody tr a").getAttribute("href") !== before,
    before,
  );
  await page.locator("tbody tr a").first().click();
  await page.getByText("The whole entry").waitFor();
  assert.ok(JSON.parse(await page.locator("pre").textContent()).log_id);
  await page.goto("/console/logs");
  await Promise.all([page.waitForURL(/type=sapi/), page.locator("#type").selectOption("sapi")]);
  const kinds = await page.locator("tbody tr td:nth-child(2)").allTextContents();
  assert.ok(kinds.length > 0 && kinds.every((kind) => kind === "sapi"), String(kinds));
}

/** The tenant's name, which stands on every page from then on. */
export async function settings(page, name) {
  await page.goto("/console/settings");
  const before = await page.locator("#friendly_name").inputValue();
  for (const next of [name, before]) {
    await page.locator("#friendly_name").fill(next);
    await press(page, "Save");
    await said(page, "Saved");
    assert.equal(await page.locator(".sidebar .brand span").textContent(), next);
  }
}

/** A language that is picked on one page and kept on the others. */
export async function language(page, testTab) {
  await page.goto("/console/quickstart");
  const pick = async (language) => {
    const select = page.locator("select[name=language]").first();
    await Promise.all([page.waitForEvent("load"), select.selectOption(language)]);
  };
  await pick("python");
  await page.goto(testTab);
  assert.equal(await page.locator("#token-language").inputValue(), "python");
  assert.match(await page.locator("#token-program").textContent(), /import http\.client/);
  await page.goto("/console/quickstart");
  await pick("curl");
}

/** The README's picture: the token, what is in it, and the call that the API took. */
export async function readme(page, folder, testTab) {
  await page.goto(testTab);
  await page.locator("input[name=scope][value='read:messages']").check();
  await press(page, "Issue a token");
  await page.locator("#access-token").waitFor();
  await page.locator("#url").fill((await page.locator("#url").inputValue()).replace(/private$/, "private-scoped"));
  await press(page, "Send");
  await page.getByText("The API took the call").waitFor();
  await page.setViewportSize({ width: 1280, height: 1000 });
  const top = await page.evaluate(() => document.querySelector("#token").getBoundingClientRect().top + scrollY - 16);
  const end = await page.evaluate(() => document.querySelector(".exchange").getBoundingClientRect().bottom + scrollY + 16);
  const height = Math.ceil(end - top);
  await page.setViewportSize({ width: 1280, height });
  await page.evaluate((top) => scrollTo(0, top), top);
  await page.screenshot({ path: path.join(folder, "api-test.png") });
  await page.setViewportSize({ width: 1280, height: 900 });
}
