// The console as people use it: the newcomer's path, every flow, every page, with scripts and without.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";

import { check, secret, totals } from "../quickstart/check.mjs";
import { binary, freePort, startDev } from "../quickstart/house.mjs";
import * as acts from "./acts.mjs";
import { enter, open, overflows, shoot, signIn, violations } from "./browser.mjs";
import { VALUES, assertIsText, walk } from "./hostile.mjs";
import * as sessions from "./sessions.mjs";
import { quota, rotate, states } from "./states.mjs";

/** Most pages of one shape that are walked, and pages in all. */
const MAX_PAGES = 60;
/** Most bytes, compressed, and requests of a page with everything. */
const MAX_BYTES = 60 * 1024;
const MAX_REQUESTS = 5;
/** The pages of which there are pictures in the dark too. */
const MAIN = new Set(["home", "quickstart", "applications", "applications-one", "apis-one-test", "logs", "usage", "debugger", "keys", "settings"]);

const at = process.argv.indexOf("--screens");
const screens = at > 0 ? path.resolve(process.env.CALLED_FROM ?? ".", process.argv[at + 1]) : undefined;
if (screens) mkdirSync(screens, { recursive: true });

const data = mkdtempSync(path.join(os.tmpdir(), "tokenhouse-console-"));
const house = await startDev(path.join(data, "dev"), { issuer: await freePort(), api: await freePort() });
const { facts } = house;
const base = facts.issuer.replace(/\/$/, "");
const apis = JSON.parse(execFileSync(binary, ["apis", "list", "--json", "--data", path.join(data, "dev")]));
const api = (apis.apis ?? apis).find(({ identifier }) => identifier === facts.audience).id;
const testTab = `/console/apis/${api}/test`;
const browser = await open();
let largest = 0;

/** A link that signs in: dev.json's for the first, others by the command line. */
let link = facts.console_url;
function nextLink() {
  const one = link ?? /http\S+/.exec(execFileSync(binary, ["admins", "link", "--data", path.join(data, "dev")]).toString())[0];
  link = undefined;
  return one;
}

async function desk(more) {
  const page = await enter(browser, base, more);
  await signIn(page, nextLink());
  return page;
}

/** How many bytes a file of the pages has, compressed; each is fetched once. */
const files = new Map();
async function weigh(page, url) {
  if (!files.has(url)) files.set(url, gzipSync(await (await page.request.get(url)).body()).length);
  return files.get(url);
}

/** That the page came in few bytes and requests, with everything. */
async function assertIsSmall(page) {
  const urls = await page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name));
  assert.ok(1 + urls.length <= MAX_REQUESTS, `${1 + urls.length} requests`);
  let bytes = gzipSync(await page.content()).length;
  for (const url of urls.filter((url) => !url.includes("/live"))) bytes += await weigh(page, url);
  largest = Math.max(largest, bytes);
  assert.ok(bytes <= MAX_BYTES, `${bytes} bytes`);
}

/** The sample API's Test tab, which begins with the application that was granted the most. */
async function openTestTab(page) {
  await page.goto(testTab);
  const chosen = page.locator("#application option:checked");
  assert.equal(await chosen.textContent(), "Sample application");
}

/** From the sign-in link to a 200 of the sample API, by what is on the pages alone; says how long it took. */
async function newcomer(more) {
  const began = Date.now();
  const page = await enter(browser, base, more);
  let clicks = 0;
  const click = async (target) => {
    clicks += 1;
    await target.click();
  };
  await page.goto(nextLink());
  await click(page.locator("main form button"));
  await click(page.getByRole("navigation").getByRole("link", { name: "APIs" }));
  await click(page.getByRole("link", { name: "Test Sample API" }));
  await click(page.locator("input[name=scope][value='read:messages']"));
  await click(page.getByRole("button", { name: "Issue a token" }));
  await page.getByText(/left$/).first().waitFor();
  await click(page.getByRole("button", { name: "Send", exact: true }));
  await page.getByText("The API took the call").waitFor();
  const took_ms = Date.now() - began;
  assert.match(await page.locator(".exchange").textContent(), /HTTP\/1\.1 200 OK/);
  assert.ok(took_ms < 60_000, `${took_ms} ms`);
  // A click a second, by somebody who reads: far less than a minute.
  assert.ok(clicks <= 8, `${clicks} clicks`);
  assert.deepEqual(page.complaints, []);
  console.log(`      ${clicks} clicks, ${took_ms} ms`);
  return page;
}

const page = await check("from the sign-in link to a 200 of the sample API in under a minute", () => newcomer());
await check("the same without JavaScript", async () => {
  const plain = await newcomer({ javaScriptEnabled: false });
  await plain.context().close();
});
await check("the same by the keyboard alone", async () => {
  await openTestTab(page);
  await page.locator("#application").focus();
  const isAt = (name) => page.evaluate((name) => document.activeElement.value === name, name);
  for (let steps = 0; steps < 20 && !(await isAt("issue")); steps += 1) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.locator("#access-token").waitFor();
  await page.locator("#url").focus();
  await page.keyboard.press("Enter");
  await page.getByText("The API took the call").waitFor();
});
await check("going back shows the form again, and nothing was issued by it", async () => {
  await openTestTab(page);
  await page.getByRole("button", { name: "Issue a token" }).click();
  await page.locator("#access-token").waitFor();
  await page.goBack();
  await page.getByRole("button", { name: "Issue a token" }).waitFor();
  assert.equal(await page.locator("#access-token").count(), 0);
});
await check("a program is copied with its secret, which the page does not hold", async () => {
  const secret = facts.applications.sample.client_secret;
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await openTestTab(page);
  await page.getByRole("button", { name: "Issue a token" }).click();
  await page.getByRole("button", { name: "Copy with the secret" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  assert.ok((await page.evaluate(() => navigator.clipboard.readText())).includes(secret));
  assert.ok(!(await page.content()).includes(secret));
});
await check("the Quickstart's five requests run from the page", async () => {
  await page.goto("/console/quickstart");
  const run = async (request, status) => {
    await page.locator(`button[value=${request}]`).click();
    await page.locator(`#${request} .exchange .tag`).filter({ hasText: String(status) }).waitFor();
  };
  await run("get-private-no-token", 401);
  await run("token-client-credentials", 200);
  await run("get-private", 200);
  await run("get-private-scoped", 200);
  await page.locator("#username").fill(facts.user?.username ?? "user@example.com");
  await page.locator("#user-password").fill(facts.user?.password ?? "pwd");
  await run("token-password", 200);
});
await check("every flow of the Debugger answers", async () => {
  await page.goto("/console/debugger");
  const links = await page.locator(".flows a").evaluateAll((all) => all.map((one) => one.getAttribute("href")));
  assert.ok(links.length >= 8, `${links.length} flows`);
  for (const flow of links) {
    await page.goto(flow);
    await page.locator("section button[value=send]").click();
    await page.locator(".exchange").getByText(/^HTTP\/1\.1 [24]/).first().waitFor();
  }
});
await check("a token of the Debugger goes on to the inspector, where every check passes", async () => {
  await page.goto("/console/debugger/client-credentials");
  await page.locator("#client_id").fill(facts.applications.sample.client_id);
  await page.locator("section button[value=send]").click();
  await page.getByRole("button", { name: "Inspect it" }).click();
  await page.getByText(/^Accepted: /).waitFor();
  assert.equal(await page.locator(".checks li").count(), await page.locator(".checks li.passed").count());
});
await check("the inspector tells a good token, an expired one and one for another API", async () => {
  const token = async (flaw) => {
    const headers = { "content-type": "application/json", "tokenhouse-dev": "1" };
    const put = (body) => fetch(`${base}/dev/faults/next_token`, { method: "PUT", headers, body: JSON.stringify(body) });
    if (flaw) assert.ok((await put({ is: flaw })).ok);
    const { client_id, client_secret } = facts.applications.sample;
    const asked = { grant_type: "client_credentials", client_id, client_secret, audience: facts.audience };
    const answer = await fetch(`${base}/oauth/token`, { method: "POST", headers, body: JSON.stringify(asked) });
    return secret((await answer.json()).access_token);
  };
  for (const [flaw, verdict, failed] of [
    [undefined, /^Accepted/, []],
    ["expired", /^Refused/, ["expiry"]],
    ["wrong_audience", /^Refused/, ["audience"]],
  ]) {
    await page.goto("/console/debugger/token");
    await page.locator("#token").fill(await token(flaw));
    await page.locator("#audience").selectOption(facts.audience);
    await page.getByRole("button", { name: "Inspect", exact: true }).click();
    assert.match(await page.locator("#verdict h2").first().textContent(), verdict);
    assert.deepEqual(await page.locator(".checks .failed strong").allTextContents(), failed);
  }
});

await check("an application is made, changed, its secret shown and rotated, and deleted by its name", () =>
  acts.application(page, "Nightly export"));
await check("the same without JavaScript", async () => {
  const plain = await desk({ javaScriptEnabled: false });
  await acts.application(plain, "Nightly export without scripts");
  await plain.context().close();
});
await check("an API is made, its permissions and applications changed, and deleted by its identifier", () =>
  acts.api(page, "https://orders.example.com", facts.applications.sample.client_id));
await check("a user is made, blocked, let in, given another password and deleted", () =>
  acts.user(page, "grace@example.org"));
await check("a key is rotated, and the one before revoked with what it breaks said first", () => acts.keys(page));
await check("a line of the log comes by itself, is shown in full, and a filter holds", () =>
  acts.logs(page, async () => {
    const other = await page.context().newPage();
    await openTestTab(other);
    await other.getByRole("button", { name: "Issue a token" }).click();
    await other.locator("#access-token").waitFor();
    await other.close();
  }));
await check("the tenant's name is changed and stands on every page", () => acts.settings(page, "Acme"));
await check("a language is picked once and remembered", () => acts.language(page, testTab));
await check("a double click, a reload and going back make one application", () => sessions.once(page, "Only one"));
await check("two administrators at once: the last change holds, both are logged, a removed one is out", async () => {
  const email = "grace@example.org";
  const other = await sessions.colleague(page, () => enter(browser, base), email);
  await sessions.together(page, other, ["dev@localhost", email]);
  await sessions.removed(page, other, email);
});

// What pictures show: a day of requests, which somebody looks at who stays signed in through it.
const painter = "ada@example.org";
if (screens) {
  await (await sessions.colleague(page, () => enter(browser, base), painter)).context().close();
  await sessions.day(base, facts);
  await sessions.signInAgain(page, painter);
  await sessions.counted(page);
}

// A key to revoke, and a quota that is used up.
await rotate(page);
await quota(base, facts);

// Every page that links lead to, one of each shape.
const visited = new Map();
const waiting = ["/console/", testTab, "/console/quickstart", "/console/debugger", "/console/debugger/token"];
const critic = await enter(browser, base, { bypassCSP: true, storageState: await page.context().storageState() });
while (waiting.length > 0 && visited.size < MAX_PAGES) {
  const target = waiting.shift();
  const shape = target.replace(/\?.*/, "").replace(/[^/]*\d[^/]*/g, "·").replace(/\/$/, "");
  if (visited.has(shape)) continue;
  const answer = await page.goto(target, { waitUntil: "load" }).catch(() => undefined);
  // What is for another engineer to make yet is no page; a broken one would be 500.
  if (!answer || answer.status() === 404) continue;
  if (!(answer.headers()["content-type"] ?? "").startsWith("text/html")) continue;
  // What leads on is looked at where it leads.
  if (new URL(page.url()).pathname !== target.replace(/\?.*/, "")) continue;
  visited.set(shape, target);
  waiting.push(
    ...(await page.locator("a[href^='/console/']").evaluateAll((all) => all.map((one) => one.getAttribute("href").split("#")[0]))),
  );
  const name = shape.replace(/^\/console/, "").replaceAll("/", "-").replaceAll("·", "one").slice(1) || "home";
  await check(`${name}: small, fits every width, has one title and no violation`, async () => {
    assert.equal(answer.status(), 200);
    assert.equal(await page.locator("h1").count(), 1);
    assert.deepEqual(await overflows(page), []);
    await assertIsSmall(page);
    await critic.goto(target);
    assert.deepEqual(await violations(critic), []);
    assert.deepEqual(page.complaints.splice(0), []);
  });
  if (screens) await shoot(page, screens, name, MAIN.has(name));
}
await check("what was issued, called and inspected has no violation either", async () => {
  await openTestTab(critic);
  await critic.getByRole("button", { name: "Issue a token" }).click();
  await critic.getByRole("button", { name: "Send", exact: true }).click();
  await assertIsSmall(critic);
  await critic.locator("details").evaluateAll((all) => all.forEach((one) => (one.open = true)));
  if (screens) {
    await shoot(critic, screens, "test-called", true);
    await acts.readme(critic, screens, testTab);
  }
  assert.deepEqual(await violations(critic), []);
  assert.deepEqual(await overflows(critic), []);
});

for (const [name, reach] of states({ facts, testTab })) {
  await check(`${name}: fits every width, has one title and no violation`, async () => {
    await reach(critic);
    assert.equal(await critic.locator("h1").count(), 1);
    assert.deepEqual(await overflows(critic), []);
    await assertIsSmall(critic);
    assert.deepEqual(await violations(critic), []);
    if (screens) await shoot(critic, screens, name, false);
  });
}

if (screens) {
  await sessions.forward(base, 0);
  for (const one of [page, critic]) await sessions.signInAgain(one, painter);
}
await check("the door and what is not there are held to the same", async () => {
  const stranger = await enter(browser, base, { bypassCSP: true });
  for (const [page, name, target] of [
    [stranger, "sign-in", "/console/sign-in"],
    [stranger, "sign-in-ended", "/console/sign-in?to=&ended"],
    [stranger, "link", nextLink()],
    [stranger, "link-worn", "/console/link?key=worn"],
    [critic, "missing", "/console/nothing"],
  ]) {
    await page.goto(target);
    assert.equal(await page.locator("h1").count(), 1);
    await assertIsSmall(page);
    assert.deepEqual(await overflows(page), []);
    assert.deepEqual(await violations(page), []);
    if (screens) await shoot(page, screens, name, name === "sign-in");
  }
  await stranger.context().close();
});

const walked = [...visited.values()].filter((target) => !target.includes("/file"));
await check("what is typed into any field of any form is text, runs nothing, and fits a phone", async () => {
  const sent = await walk(page, walked);
  assert.ok(sent > 20 * Object.keys(VALUES).length, `${sent} forms`);
  console.log(`      ${sent} forms sent`);
});
await check("what was kept of it is text on every page", async () => {
  for (const target of ["/console/", "/console/applications", "/console/apis", "/console/users", "/console/logs", ...walked]) {
    await page.goto(target);
    await assertIsText(page, target);
  }
});
await check("a session that is not used ends, saves nothing, and leads back", () => sessions.idle(page, base, testTab));
await check("a session that is used all the time ends after twelve hours", async () => {
  const worked = await desk();
  await sessions.absolute(worked, base);
});

console.log(`      the largest page: ${largest} bytes, compressed`);
await browser.close();
await house.end("SIGTERM");
rmSync(data, { recursive: true, force: true });
process.exit(totals());
