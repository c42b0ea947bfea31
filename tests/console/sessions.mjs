// Two administrators at once, and how sessions end.

import assert from "node:assert/strict";

import { idOf, pathOf, press, said } from "./acts.mjs";

/** The password that a colleague chooses. */
const PASSWORD = "a few words of their own";

/** Another administrator: added by the first, in by the link they are given, with a password of their own. */
export async function colleague(page, window, email) {
  await page.goto("/console/settings");
  await page.locator("#email").fill(email);
  await press(page, "Add");
  const link = await page.locator("#link").textContent();
  const other = await window();
  await other.goto(link);
  await other.locator("#password").fill(PASSWORD);
  await press(other, "Set the password and sign in");
  await said(other, "You are signed in");
  return other;
}

/** Two who change one application: the last holds, both are in the log by name, and what is gone is said to be. */
export async function together(one, other, names) {
  await one.goto("/console/applications/new");
  await one.locator("#name").fill("Shared");
  await press(one, "Create application");
  await said(one, "The application is created");
  const path = pathOf(one);
  await Promise.all([one.goto(path), other.goto(path)]);
  await one.locator("#description").fill("by the first");
  await press(one, "Save");
  await said(one, "Saved");
  await other.locator("#description").fill("by the second");
  await press(other, "Save");
  await said(other, "Saved");
  await one.reload();
  assert.equal(await one.locator("#description").inputValue(), "by the second");
  const logged = await one.request.get(`/console/logs/file?app=${idOf(path)}&format=jsonl`);
  const text = await logged.text();
  for (const name of names) assert.ok(text.includes(name), `${name} is not in the log`);

  await one.locator("#delete-name").fill("Shared");
  await press(one, "Delete the application");
  await said(one, "The application is deleted");
  await other.locator("#description").fill("too late");
  await press(other, "Save");
  await other.getByText("what it was about has been deleted").waitFor();
}

/** An administrator who is removed while they are at work is asked to sign in at their next click. */
export async function removed(one, other, email) {
  await one.goto("/console/settings");
  await one.getByRole("button", { name: `Remove ${email}` }).click();
  await said(one, "signed out everywhere");
  await other.goto("/console/apis");
  assert.equal(new URL(other.url()).pathname, "/console/sign-in");
  await other.context().close();
}

/** Signs in by the password that a colleague chose. */
export async function signInAgain(page, email) {
  await page.context().clearCookies();
  await page.goto("/console/sign-in");
  await page.locator("#email").fill(email);
  await page.locator("#password").fill(PASSWORD);
  await press(page, "Sign in");
  await page.waitForURL(/console\/$/);
}

/** A day's worth of requests, an hour at a time, so that there is something to see; the clock stays where it led. */
export async function day(base, { applications, audience }) {
  const names = ["sample", "reader", "stranger"].filter((name) => applications[name]);
  for (let hour = 0; hour < 22; hour += 1) {
    const busy = Math.round(6 + 5 * Math.sin((hour - 5) / 3.4));
    for (let count = 0; count < busy; count += 1) {
      const { client_id, client_secret } = applications[names[(hour + count * count) % names.length]];
      const body = { grant_type: "client_credentials", client_id, client_secret, audience };
      if (count === 3) body.client_secret = "mistyped";
      const headers = { "content-type": "application/json" };
      await fetch(`${base}/oauth/token`, { method: "POST", headers, body: JSON.stringify(body) });
    }
    await forward(base, 3600);
  }
}

/** Waits until Home shows what was counted of that day. */
export async function counted(page) {
  const issued = page.locator(".legend .series-0");
  await page.goto("/console/");
  // Folded a piece at a time: all of it is there once no more comes.
  for (let tries = 0, before = ""; tries < 15; tries += 1) {
    const now = (await issued.count()) > 0 ? await issued.textContent() : "";
    if (now === before && /\d{2}/.test(now)) break;
    before = now;
    await page.waitForTimeout(2000);
    await page.reload();
  }
}

/** The clock of `tokenhouse dev`, moved. */
export async function forward(base, forward_s) {
  const headers = { "tokenhouse-dev": "1", "content-type": "application/json" };
  const answer = forward_s
    ? await fetch(`${base}/dev/clock`, { method: "POST", headers, body: JSON.stringify({ forward_s }) })
    : await fetch(`${base}/dev/state`, { method: "DELETE", headers });
  assert.ok(answer.ok, `the clock: ${answer.status}`);
}

/** A session that nobody used ends, says so, and leads back to the page; a form that was open changes nothing. */
export async function idle(page, base, testTab) {
  try {
    await page.goto("/console/settings");
    await page.locator("#friendly_name").fill("never saved");
    await forward(base, 31 * 60);
    await press(page, "Save");
    await page.getByText("Your session has ended").waitFor();
    await page.goto(testTab);
    assert.equal(await page.locator("input[name=to]").inputValue(), testTab);
  } finally {
    await forward(base, 0);
  }
}

/** A session that is used all the time ends after twelve hours. */
export async function absolute(page, base) {
  const isIn = async () => (await page.request.get("/console/", { maxRedirects: 0 })).status() === 200;
  try {
    for (let quarters = 0; quarters < 23; quarters += 1) {
      assert.ok(await isIn(), `out after ${quarters} half hours`);
      await forward(base, 29 * 60);
    }
    assert.ok(await isIn(), "out before twelve hours");
    await forward(base, 29 * 60);
    await forward(base, 29 * 60);
    await page.goto("/console/apis");
    await page.getByText("Your session has ended").waitFor();
  } finally {
    await forward(base, 0);
  }
}
