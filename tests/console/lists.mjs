// What is looked up: lists that are searched and paged through, the log, usage, and the files of both. Without scripts too.

import assert from "node:assert/strict";

import { until } from "../quickstart/house.mjs";
import { press } from "./acts.mjs";
import { choose, file } from "./browser.mjs";

const DAY_MS = 86_400_000;

/** A list of more than a page: paged on and back, searched for one, for many and in vain. */
export async function list(page, path, { one, many, none }) {
  const rows = page.locator("tbody th.name a");
  const links = () => rows.evaluateAll((all) => all.map((link) => link.getAttribute("href")));
  const go = async (link, other) => {
    await page.getByRole("link", { name: link }).click();
    await page.getByRole("link", { name: other }).waitFor();
    return links();
  };
  const find = async (text) => {
    await page.goto(path);
    await page.locator("#q").fill(text);
    await press(page, "Find");
    await page.waitForURL(/[?&]q=/);
    return rows.allTextContents();
  };
  await page.goto(path);
  const first = await links();
  assert.equal(first.length, 50);
  const next = await go("Next page", "First page");
  assert.ok(next.length > 0 && next.every((link) => !first.includes(link)), "the next page has others");
  assert.deepEqual(await go("First page", "Next page"), first);

  assert.deepEqual(await find(one), [one]);
  assert.equal((await find(many)).length, 50);
  const more = await go("Next page", "First page");
  assert.equal(more.length, 10, "a search is paged as well");
  assert.deepEqual(await find("nothing of this name"), []);
  await page.getByText(none).waitFor();
}

/** The log: a line that comes while one looks, opened in full; filters that hold; files of what they let through. */
export async function logs(page, { name, client_id }, happen) {
  const first = () => page.locator("tbody tr a").first().getAttribute("href");
  await page.goto("/console/logs");
  // With scripts it comes by itself.
  if (page.hasScripts) await page.locator("#live").waitFor();
  const before = await first();
  await happen();
  await until("a new line of the log", 30_000, async () => {
    if (!page.hasScripts) await page.reload();
    return (await first()) !== before;
  });
  await page.locator("tbody tr a").first().click();
  await page.getByText("The whole entry").waitFor();
  assert.ok(JSON.parse(await page.locator("pre").textContent()).log_id);

  await page.goto("/console/logs");
  await choose(page, page.locator("#type"), "sapi", "Filter");
  assert.equal(await page.locator("#type").inputValue(), "sapi");
  await held(page, 2, (kind) => kind === "sapi");
  const lines = await file(page, page.getByRole("link", { name: "JSON lines" }));
  assert.equal(lines.name, "logs.jsonl");
  const events = lines.text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.ok(events.length > 0 && events.every(({ type }) => type === "sapi"), "the file is filtered as the page is");
  const csv = await file(page, page.getByRole("link", { name: "CSV", exact: true }));
  assert.equal(csv.name, "logs.csv");
  const [head, ...rows] = csv.text.trimEnd().split("\r\n");
  assert.match(head, /^date,type,description,client_id,/);
  assert.ok(rows.length > 0 && rows.every((row) => /^[^,]+,sapi,/.test(row)), "the file is filtered as the page is");

  await page.goto("/console/logs");
  const address = await page.locator("tbody tr > :nth-child(4)").first().textContent();
  for (const [field, value, column, isSo] of [
    ["app", name, 3, (who) => who.includes(name) || who.includes(client_id)],
    ["ip", address, 4, (other) => other === address],
  ]) {
    await page.goto("/console/logs");
    await page.locator(`#${field}`).fill(value);
    await press(page, "Filter");
    await page.waitForURL(new RegExp(`[?&]${field}=.`));
    await held(page, column, isSo);
  }
}

/** That the page has lines, and that what each says in this column is so. */
async function held(page, column, isSo) {
  const cells = await page.locator(`tbody tr > :nth-child(${column})`).allTextContents();
  assert.ok(cells.length > 0 && cells.every((cell) => isSo(cell.trim())), String(cells));
}

/** Usage: other days chosen, and the file of these days; days that cannot be read are told. */
export async function usage(page, client_id) {
  const counted = page.locator("[aria-labelledby=by-what] tbody tr");
  await until("the counters", 30_000, async () => {
    await page.goto("/console/usage");
    return (await counted.count()) > 0;
  });
  const to = await page.locator("#to").inputValue();
  const from = new Date(Date.parse(to) - 6 * DAY_MS).toISOString().slice(0, 10);
  await page.locator("#from").fill(from);
  await press(page, "Show");
  await page.waitForURL(/from=/);
  assert.deepEqual([await page.locator("#from").inputValue(), await page.locator("#to").inputValue()], [from, to]);
  assert.ok((await counted.count()) > 0);
  const { name, text } = await file(page, page.getByRole("link", { name: "CSV", exact: true }));
  assert.equal(name, `usage-${from}-${to}.csv`);
  const [head, ...rows] = text.trimEnd().split("\r\n");
  assert.equal(head, "date,client_id,client_name,audience,grant_type,tokens");
  assert.ok(rows.some((row) => row.startsWith(`${to},${client_id},`) && /,[1-9]\d*$/.test(row)), text);

  await page.locator("#from").fill("yesterday");
  await press(page, "Show");
  await page.getByText("A day is written like").waitFor();
}
