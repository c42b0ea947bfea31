// A filter that lets little of the log through: searched on by itself, a piece at a time, until there is enough, nothing is
// left, or somebody stops it; and by its link where no scripts run.

import assert from "node:assert/strict";

import { overflows, violations } from "./browser.mjs";

/** Lines that lie before the one that is looked for: more than two pages look at. */
const LINES = 5000;
/** Requests at a time while they are made. */
const AT_ONCE = 50;
/** Most pages that one search fetches. */
const MAX_PIECES = 500;
/** An application that nobody made, of which the log has one line. */
const RARE = "/console/logs?app=rare";
/** An application of which it has none. */
const NONE = "/console/logs?app=never-seen";

const isPiece = (url) => url.pathname === "/console/logs" && url.searchParams.has("before");
const link = (page) => page.getByRole("link", { name: "Search further back" });
const progress = (page) => page.locator("#searching p");

/** Fills the log: one line of an application, and many of another after it. */
export async function fill(base, { applications, audience }) {
  const ask = async (client_id, client_secret) => {
    const body = { grant_type: "client_credentials", client_id, client_secret, audience };
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${base}/oauth/token`, { method: "POST", headers, body: JSON.stringify(body) });
    await answer.arrayBuffer();
    return answer.status;
  };
  assert.equal(await ask("rare", "wrong"), 401);
  const { client_id, client_secret } = applications.sample;
  for (let made = 0; made < LINES; made += AT_ONCE) {
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => ask(client_id, client_secret)));
    assert.ok(answers.every((status) => status === 200), String(answers));
  }
}

/** The search ends at the line, or at the log's end, one request after the other; who hears the page is told once. */
export async function ends(page) {
  const pieces = { asked: 0, open: 0, most: 0 };
  const isOf = (request) => isPiece(new URL(request.url()));
  const begins = (request) => {
    if (!isOf(request)) return;
    pieces.asked += 1;
    pieces.open += 1;
    pieces.most = Math.max(pieces.most, pieces.open);
  };
  const isOver = (request) => {
    if (isOf(request)) pieces.open -= 1;
  };
  page.on("request", begins);
  page.on("requestfinished", isOver);
  await page.goto(RARE);
  await page.locator("tbody tr").getByText("rare", { exact: true }).waitFor();
  await progress(page).waitFor({ state: "hidden" });
  assert.equal(await page.locator("tbody tr").count(), 1);
  assert.equal(await page.locator("tbody time[title]").count(), 1, "in the reader's own time");
  assert.equal(await link(page).count(), 0);
  assert.equal(await page.getByText("No lines").count(), 0);
  assert.ok(pieces.asked >= 2, `${pieces.asked} pieces`);
  assert.equal(pieces.most, 1, "one at a time");
  await page.goto(NONE);
  await page.locator("main").getByText("nothing further back through").waitFor();
  assert.equal(await link(page).count(), 0);
  assert.match(await page.locator(".unseen[role=status]").textContent(), /nothing further back/);
  page.off("request", begins);
  page.off("requestfinished", isOver);
  assert.deepEqual(page.complaints.splice(0), []);
}

/** It says how far it came and is stopped by the keyboard; the link goes on from there. */
export async function stops(page) {
  let go;
  const held = new Promise((resolve) => (go = resolve));
  let asked = 0;
  await page.route(isPiece, async (route) => {
    asked += 1;
    if (asked > 1) await held;
    // It may have been stopped meanwhile.
    await route.continue().catch(() => undefined);
  });
  await page.goto(RARE);
  while (asked < 2) await page.waitForTimeout(20);
  assert.match(await progress(page).textContent(), /^Searching back to .*\d{4}/);
  assert.ok(!(await link(page).isVisible()), "no second way on while it searches");
  assert.deepEqual(await overflows(page), []);
  assert.deepEqual(await violations(page), []);
  await page.getByRole("button", { name: "Stop" }).focus();
  await page.keyboard.press("Enter");
  await progress(page).waitFor({ state: "hidden" });
  await link(page).waitFor();
  assert.ok(await link(page).evaluate((one) => one === document.activeElement), "the keyboard is at the link");
  assert.equal(asked, 2, "nothing more was asked for");
  go();
  await page.unroute(isPiece);
  await page.keyboard.press("Enter");
  await page.waitForURL(isPiece);
  await page.locator("tbody tr").getByText("rare", { exact: true }).waitFor();
}

/** However long the log is, a search fetches so many pages, and leaves the link. */
export async function givesUp(page) {
  const endless = await (await page.request.get(NONE)).text();
  let asked = 0;
  await page.route(isPiece, (route) => {
    asked += 1;
    return route.fulfill({ contentType: "text/html; charset=utf-8", body: endless });
  });
  await page.goto(NONE);
  await link(page).waitFor({ timeout: 60_000 });
  await progress(page).waitFor({ state: "hidden" });
  assert.equal(asked, MAX_PIECES);
  await page.unroute(isPiece);
}

/** Without scripts nothing is fetched by itself; the link leads on, piece by piece. */
export async function byLink(page) {
  await page.goto(RARE);
  let clicks = 0;
  for (; clicks < 10 && (await link(page).count()) > 0; clicks += 1) {
    assert.ok(!(await progress(page).isVisible()));
    await page.locator("#searched").waitFor();
    await Promise.all([page.waitForEvent("load"), link(page).click()]);
  }
  assert.ok(clicks >= 2, `${clicks} clicks`);
  assert.equal(await page.locator("tbody tr").getByText("rare", { exact: true }).count(), 1);
}
