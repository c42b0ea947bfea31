// The console as people use it: the newcomer's path, every flow, every page, with scripts and without.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";

import { check, totals } from "../quickstart/check.mjs";
import { binary, freePort, startDev } from "../quickstart/house.mjs";
import { enter, open, overflows, shoot, signIn, violations } from "./browser.mjs";

/** Most pages of one shape that are walked, and pages in all. */
const MAX_PAGES = 60;
/** Most bytes and requests of a page with everything. */
const MAX_BYTES = 60 * 1024;
const MAX_REQUESTS = 5;

const at = process.argv.indexOf("--screens");
const screens = at > 0 ? path.resolve(process.argv[at + 1]) : undefined;
if (screens) mkdirSync(screens, { recursive: true });

const data = mkdtempSync(path.join(os.tmpdir(), "tokenhouse-console-"));
const house = await startDev(path.join(data, "dev"), { issuer: await freePort(), api: await freePort() });
const { facts } = house;
const base = facts.issuer.replace(/\/$/, "");
const apis = JSON.parse(execFileSync(binary, ["apis", "list", "--json", "--data", path.join(data, "dev")]));
const api = (apis.apis ?? apis).find(({ identifier }) => identifier === facts.audience).id;
const testTab = `/console/apis/${api}/test`;
const browser = await open();

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

/** The sample API's Test tab, its application chosen. */
async function openTestTab(page) {
  await page.goto(testTab);
  await page.locator("#application").selectOption({ label: "Sample application" });
}

/** From the sign-in link to a 200 of the sample API. */
async function newcomer(more) {
  const began = Date.now();
  const page = await desk(more);
  await openTestTab(page);
  await page.locator("input[name=scope][value='read:messages']").check();
  await page.getByRole("button", { name: "Issue a token" }).click();
  await page.getByText(/left$/).first().waitFor();
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByText("The API took the call").waitFor();
  assert.match(await page.locator(".exchange").textContent(), /HTTP\/1\.1 200 OK/);
  assert.ok(Date.now() - began < 60_000);
  assert.deepEqual(page.complaints, []);
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
  await page.locator("#application").selectOption({ label: "Sample application" });
  await page.waitForLoadState();
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

// Every page that links lead to, one of each shape.
const shapes = new Set();
const waiting = ["/console/", testTab, "/console/quickstart", "/console/debugger", "/console/debugger/token"];
const critic = await enter(browser, base, { bypassCSP: true, storageState: await page.context().storageState() });
while (waiting.length > 0 && shapes.size < MAX_PAGES) {
  const target = waiting.shift();
  const shape = target.replace(/\?.*/, "").replace(/[^/]*\d[^/]*/g, "·").replace(/\/$/, "");
  if (shapes.has(shape)) continue;
  const answer = await page.goto(target, { waitUntil: "load" }).catch(() => undefined);
  // What is for another engineer to make yet is no page; a broken one would be 500.
  if (!answer || answer.status() === 404) continue;
  if (!(answer.headers()["content-type"] ?? "").startsWith("text/html")) continue;
  shapes.add(shape);
  waiting.push(
    ...(await page.locator("a[href^='/console/']").evaluateAll((all) => all.map((one) => one.getAttribute("href").split("#")[0]))),
  );
  const name = shape.replace(/^\/console/, "").replaceAll("/", "-").replaceAll("·", "one").slice(1) || "home";
  await check(`${name}: small, fits every width, has one title and no violation`, async () => {
    assert.equal(answer.status(), 200);
    assert.equal(await page.locator("h1").count(), 1);
    assert.deepEqual(await overflows(page), []);
    const sizes = await page.evaluate(() =>
      performance.getEntries().filter(({ entryType }) => entryType === "resource" || entryType === "navigation").map((one) => one.encodedBodySize),
    );
    assert.ok(sizes.length <= MAX_REQUESTS, `${sizes.length} requests`);
    // Uncompressed, so what is promised for compressed pages holds the more.
    assert.ok(sizes.reduce((all, one) => all + one, 0) <= MAX_BYTES, `${sizes} bytes`);
    await critic.goto(target);
    assert.deepEqual(await violations(critic), []);
    assert.deepEqual(page.complaints.splice(0), []);
  });
  if (screens) await shoot(page, screens, name);
}
await check("what was issued, called and inspected has no violation either", async () => {
  await openTestTab(critic);
  await critic.getByRole("button", { name: "Issue a token" }).click();
  await critic.getByRole("button", { name: "Send", exact: true }).click();
  await critic.locator("details").evaluateAll((all) => all.forEach((one) => (one.open = true)));
  if (screens) await shoot(critic, screens, "test-called");
  assert.deepEqual(await violations(critic), []);
  assert.deepEqual(await overflows(critic), []);
});

await browser.close();
await house.end("SIGTERM");
rmSync(data, { recursive: true, force: true });
process.exit(totals());
