// The console as people use it: the newcomer's path, every act, every page, with scripts and without.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";

import { check, totals } from "../quickstart/check.mjs";
import { binary, freePort, startDev } from "../quickstart/house.mjs";
import * as acts from "./acts.mjs";
import * as again from "./again.mjs";
import { enter, open, overflows, signIn, violations } from "./browser.mjs";
import { VALUES, assertIsText, live, walk } from "./hostile.mjs";
import { fields, keep, things } from "./kept.mjs";
import { mainPath } from "./keyboard.mjs";
import * as lists from "./lists.mjs";
import { crowd, quota } from "./management.mjs";
import { Walk } from "./pages.mjs";
import { readme, shoot } from "./pictures.mjs";
import * as searching from "./searching.mjs";
import * as sessions from "./sessions.mjs";
import { states } from "./states.mjs";
import * as tries from "./tries.mjs";

/** Most bytes, compressed, and requests of a page with everything. */
const MAX_BYTES = 60 * 1024;
const MAX_REQUESTS = 5;
/** The pages of which there are pictures in the dark too. */
const MAIN = new Set(
  "home quickstart applications applications-one apis-one-test logs usage debugger keys settings".split(" "),
);

const at = process.argv.indexOf("--screens");
const screens = at > 0 ? path.resolve(process.env.CALLED_FROM ?? ".", process.argv[at + 1]) : undefined;
if (screens) mkdirSync(screens, { recursive: true });

const data = mkdtempSync(path.join(os.tmpdir(), "tokenhouse-console-"));
// Pictures show the ports that the README names.
const ports = screens ? { issuer: 4000, api: 3010 } : { issuer: await freePort(), api: await freePort() };
const house = await startDev(path.join(data, "dev"), ports);
const { facts } = house;
const { sample, password } = facts.applications;
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

/** A window of its own. */
const newWindow = (more) => enter(browser, base, more);

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
  const page = await newWindow(more);
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
const plain = await check("the same without JavaScript", () => newcomer({ javaScriptEnabled: false }));
await check("the same by the keyboard alone, and what has the focus shows it", async () => {
  const keys = await newWindow();
  await mainPath(keys, nextLink());
  await keys.context().close();
});

for (const [desk, how] of [[page, ""], [plain, ", without JavaScript"]]) {
  const act = (promise, body) => check(`${promise}${how}`, body);
  /** Names of what is made, which the two do not share. */
  const [domain, one] = how ? ["plain.example", "Label printer"] : ["example.com", "Invoice mailer"];
  await act("an application is made, changed, and deleted by its name", () => acts.application(desk, one));
  await act("an application is let in to an API, with a permission ticked, and put out", () =>
    acts.access(desk, one, facts.audience));
  await act("a secret is shown and rotated, and the older one ended", () => acts.secrets(desk, one, facts.audience));
  await act("a public key is pasted, and removed", () => acts.publicKey(desk, one));
  await act("an API is made, its permissions and applications changed, and deleted by its identifier", () =>
    acts.api(desk, `https://orders.${domain}`, sample.client_id));
  await act("a user is made, blocked, let in, given another password and deleted", () => acts.user(desk, `grace@${domain}`));
  await act("a key is rotated, and the one before revoked with what it breaks said first", () => acts.keys(desk));
  await act("the tenant's name is changed and stands on every page", () => acts.name(desk, "Acme"));
  await act("the token endpoint words its errors as it is told", () => acts.dialect(desk, sample));
  await act("lifetimes are chosen, and hold for what is made then", () => acts.lifetimes(desk, `https://brief.${domain}`));
  await act("a language is picked once and remembered", () => acts.language(desk, testTab));
  await act("the Test tab: a user's token, with their password", () => tries.forUser(desk, testTab, password, facts.user));
  await act("the Test tab: the API's 401 and 403, explained", () => tries.refusals(desk, testTab, sample));
  await act("the Quickstart's five requests run from the page", () => tries.quickstart(desk, facts.user));
  const held = { signer: await act("a pair of keys is generated", () => acts.signer(desk, one, facts.audience)) };
  await act("the Debugger lists the flows below, and no other", async () =>
    assert.deepEqual(await tries.flows(desk), Object.keys(tries.FLOWS)));
  for (const id of Object.keys(tries.FLOWS)) {
    await act(`the flow ${id} is answered with 200`, () => tries.flow(desk, id, facts, held));
  }
  await act("a token of the Debugger goes on to the inspector, where every check passes", () => tries.inspected(desk, sample));
  await act("the inspector tells a good token, an expired one and one for another API", () => tries.inspector(desk, base, facts));
  await act("the log is followed, filtered, opened in full and taken away as a file", () =>
    lists.logs(desk, { ...sample, name: "Sample application" }, async () => {
      const other = await desk.context().newPage();
      await openTestTab(other);
      await acts.press(other, "Issue a token");
      await tries.issued(other);
      await other.close();
    }));
  await act("usage is shown for other days, and taken away as a file", () => lists.usage(desk, sample.client_id));
}
await check("a program is copied with its secret, which the page does not hold", () => tries.copied(page, testTab, sample));
await check("a double click, a reload and going back make one application", () => again.once(page, "Only one"));
await check("a pair of keys is made once, however often its page is shown", () => again.pair(page, "Signs once"));
await check("a link for a password is made once, however often its page is shown", () =>
  again.link(page, "joan@example.org", newWindow));
await check("reloading and going back after a token was issued end on a page that works", () => again.issue(page, testTab));
await check("reloading and going back after a request was run end on a page that works", () => again.run(page));
await check("two administrators at once: the last change holds, both are logged, a removed one is out", async () => {
  const email = "grace@example.org";
  const other = await sessions.colleague(page, newWindow, email);
  await sessions.together(page, other, ["dev@localhost", email]);
  await sessions.removed(page, other, email);
});

// What pictures show: a day of requests, which somebody looks at who stays signed in through it.
const painter = "ada@example.org";
if (screens) {
  await (await sessions.colleague(page, newWindow, painter)).context().close();
  await sessions.day(base, facts);
  for (const one of [page, plain]) await sessions.signInAgain(one, painter);
  await sessions.counted(page);
}

// A key to revoke, and a quota that is used up.
await acts.rotated(page);
await quota(base, facts);

const critic = await newWindow({ bypassCSP: true, storageState: await page.context().storageState() });
const visited = new Walk();
const begin = ["/console/", testTab, "/console/quickstart", "/console/debugger", "/console/debugger/token"];
await visited.from(page, begin, async (name, target) => {
  await check(`${name}: small, fits every width, has one title and no violation`, async () => {
    assert.equal(await page.locator("h1").count(), 1);
    assert.deepEqual(await overflows(page), []);
    await assertIsSmall(page);
    await critic.goto(target);
    assert.deepEqual(await violations(critic), []);
    assert.deepEqual(page.complaints.splice(0), []);
  });
  if (screens) await shoot(page, screens, name, MAIN.has(name));
});
await check("every link leads to a page or a file", async () => {
  console.log(`      ${await visited.assertLinksLead(page)} kinds of links`);
});
await check("links lead to every page of the router", () => visited.assertMetEveryRoute());
await check("what was issued, called and inspected has no violation either", async () => {
  await openTestTab(critic);
  await critic.getByRole("button", { name: "Issue a token" }).click();
  await critic.getByRole("button", { name: "Send", exact: true }).click();
  await critic.getByText("The API took the call").waitFor();
  await assertIsSmall(critic);
  await critic.locator("details").evaluateAll((all) => all.forEach((one) => (one.open = true)));
  if (screens) await shoot(critic, screens, "test-called", true);
  assert.deepEqual(await violations(critic), []);
  assert.deepEqual(await overflows(critic), []);
});

await crowd(base, facts);
for (const [desk, how] of [[page, ""], [plain, ", without JavaScript"]]) {
  await check(`applications are searched and paged through${how}`, () =>
    lists.list(desk, "/console/applications", { one: "Till 07", many: "Till", none: "None found" }));
  await check(`users are searched and paged through${how}`, () =>
    lists.list(desk, "/console/users", { one: "clerk07@example.org", many: "clerk", none: "Nobody found" }));
}
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
  // The machine's time again, which is that of the sample API.
  await sessions.forward(base, 0);
  for (const one of [page, plain, critic]) await sessions.signInAgain(one, painter);
  await readme(critic, screens, testTab);
}
await check("the door and what is not there are held to the same", async () => {
  const stranger = await newWindow({ bypassCSP: true });
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

await check("a hostile name and a hostile user agent are text in the live log", () =>
  live(page, base, password, facts.audience));
const walked = [...visited.pages.values()];
const before = await check("every list, and the log by its types, is text", () => things(page));
await check("what is typed into any field of any form is text, runs nothing, and fits a phone", async () => {
  const sent = await walk(page, walked);
  assert.ok(sent > 25 * Object.keys(VALUES).length, `${sent} forms`);
  console.log(`      ${sent} forms sent`);
});
const typed = await check("what hostile values are typed into is made", () =>
  fields(page, { audience: facts.audience, testTab }));
for (const field of typed ?? []) {
  await check(`${field.what} is kept and shown as it was typed, wherever it stands`, () => keep(page, field));
}
await check("what was kept of it is text on every page", async () => {
  const left = (await things(page)).filter((thing) => !before?.includes(thing));
  const wrong = [];
  for (const target of [...walked, ...left]) {
    const answer = await page.goto(target);
    if (answer.status() >= 500) wrong.push(`${target}: ${answer.status()}`);
    await assertIsText(page, target).catch((error) => wrong.push(error.message));
  }
  console.log(`      ${left.length} pages of what forms left behind`);
  assert.deepEqual(wrong, []);
});
await searching.fill(base, facts);
await check("a filter that lets little through is searched on to its line, or to the log's end", () => searching.ends(page));
await check("such a search says how far it came, and is stopped by the keyboard", () => searching.stops(critic));
await check("such a search gives up after many pieces, and leaves the link", () => searching.givesUp(page));
await check("such a search goes on by its link without JavaScript", () => searching.byLink(plain));
await check("a session that is not used ends, saves nothing, and leads back", () => sessions.idle(page, base, testTab));
await check("a session that is used all the time ends after twelve hours", async () => {
  const worked = await newWindow();
  await signIn(worked, nextLink());
  await sessions.absolute(worked, base);
});

console.log(`      the largest page: ${largest} bytes, compressed`);
await browser.close();
await house.end("SIGTERM");
rmSync(data, { recursive: true, force: true });
process.exit(totals());
