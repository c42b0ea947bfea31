// What clicking twice, reloading and going back and forth do: one thing is made, and a page that works is what one ends on.

import assert from "node:assert/strict";

import { secret } from "../quickstart/check.mjs";
import { made, press, said } from "./acts.mjs";

/** A button that is clicked twice makes one thing, and so do reloading and going back and forth after it. */
export async function once(page, name) {
  const rows = async () => {
    await page.goto(`/console/applications?q=${encodeURIComponent(name)}`);
    return page.getByRole("link", { name, exact: true }).count();
  };
  await page.goto("/console/applications/new");
  await page.locator("#name").fill(name);
  await page.getByRole("button", { name: "Create application" }).dblclick();
  await said(page, "The application is created");
  const { pathname } = new URL(page.url());
  await page.reload();
  assert.equal(await page.locator(".notice").count(), 0, "a notice is shown once");
  await page.goBack();
  await page.locator("#name").waitFor();
  await page.goForward();
  await page.waitForURL((url) => url.pathname === pathname);
  assert.equal(await rows(), 1);
}

/** A pair of keys is generated once, however often the page is shown that has its private half. */
export async function pair(page, name) {
  const path = await made(page, name);
  const keys = async () => {
    await page.goto(`${path}/credentials`);
    return page.locator("tbody tr").count();
  };
  assert.equal(await keys(), 0);
  await press(page, "Generate a key pair");
  secret((await page.locator("#private").textContent()).split("\n")[1]);
  await shownAgain(page);
  assert.equal(await keys(), 1, "keys after the page was shown again");
}

/** A link for an administrator's password is made once, and the one that was shown stays good. */
export async function link(page, email, window) {
  const log = async () => (await (await page.request.get("/console/logs/file?type=sapi&format=jsonl")).text()).split("\n");
  const isLink = (line) => line.includes("Make a link for an administrator's password") && line.includes(email);
  const links = async () => (await log()).filter(isLink).length;
  const added = page.locator("tbody tr").filter({ hasText: email });
  await page.goto("/console/settings");
  await page.locator("#email").fill(email);
  await press(page, "Add");
  secret(new URL(await page.locator("#link").textContent()).searchParams.get("key"));
  await shownAgain(page);
  await page.goto("/console/settings");
  assert.equal(await added.count(), 1, "administrators of this address");

  await added.getByRole("button", { name: `New password for ${email}` }).click();
  const shown = await page.locator("#link").textContent();
  secret(new URL(shown).searchParams.get("key"));
  assert.equal(await links(), 1, "links before the page is shown again");
  await shownAgain(page);
  assert.equal(await links(), 1, "links after the page was shown again");
  const stranger = await window();
  await stranger.goto(shown);
  await stranger.getByRole("button", { name: "Set the password and sign in" }).waitFor();
  await stranger.context().close();
  await page.goto("/console/settings");
  await page.getByRole("button", { name: `Remove ${email}` }).click();
  await said(page, "signed out everywhere");
}

/** After a token was issued: reloading, going back, and coming back from elsewhere end on a Test tab that works. */
export async function issue(page, testTab) {
  const begin = async () => {
    await page.goto(testTab);
    await press(page, "Issue a token");
    await page.locator("#access-token").waitFor();
  };
  const works = async () => {
    await press(page, "Send");
    await page.getByText(/^The API (took the call|does not take the token)$/).waitFor();
  };
  await begin();
  await shownAgain(page);
  await works();
  await begin();
  await page.goBack();
  // The form again, and nothing was issued by it.
  await page.getByRole("button", { name: "Issue a token" }).waitFor();
  assert.equal(await page.locator("#access-token").count(), 0);
  await works();
  await begin();
  await elsewhere(page);
  await works();
}

/** The same after a request of the Quickstart was run. */
export async function run(page) {
  const answered = page.locator("#get-private-no-token .exchange .tag");
  const ask = async () => {
    await Promise.all([page.waitForEvent("load"), page.locator("button[value=get-private-no-token]").click()]);
    await answered.filter({ hasText: "401" }).waitFor();
  };
  const begin = async () => {
    await page.goto("/console/quickstart");
    await ask();
  };
  await begin();
  await shownAgain(page);
  await ask();
  await begin();
  await page.goBack();
  await page.getByRole("button", { name: "Run it" }).first().waitFor();
  assert.equal(await answered.count(), 0);
  await ask();
  await begin();
  await elsewhere(page);
  await ask();
}

/** Shows the page anew, whatever is sent again by it: it is a page of the console. */
async function shownAgain(page) {
  const answer = await page.reload();
  assert.ok(answer.status() < 500, `shown again: ${answer.status()}`);
  assert.equal(await page.locator("h1").count(), 1);
}

/** Goes to another page and back; where the browser asks whether to send the form again, reloading says yes. */
async function elsewhere(page) {
  await page.goto("/console/logs");
  try {
    await page.goBack();
  } catch (error) {
    if (!/ERR_CACHE_MISS/.test(error.message)) throw error;
    await page.waitForURL(/^chrome-error:/);
    await page.reload();
  }
  assert.equal(await page.locator("h1").count(), 1);
}
