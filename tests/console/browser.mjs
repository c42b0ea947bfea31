// The browser, an administrator who is signed in to it, and what every page is held to.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Widths at which no page may be wider than the window. */
export const WIDTHS = [360, 768, 1280, 1600];

/** Starts the browser. */
export async function open() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
}

/** A window of its own; what its pages complain of is collected in `complaints`. */
export async function enter(browser, base, more = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    reducedMotion: "reduce",
    baseURL: base,
    ...more,
  });
  const page = await context.newPage();
  page.hasScripts = more.javaScriptEnabled !== false;
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(error.message));
  page.on("console", (message) => {
    const isRefusal = /status of 4\d\d/.test(message.text());
    if (message.type() === "error" && !isRefusal) page.complaints.push(message.text());
  });
  // Others use the machine too: this is for what never comes.
  page.setDefaultTimeout(30_000);
  return page;
}

/** Chooses in a select that steers its form: a script sends it at once; without one the button beside it does. */
export async function choose(page, select, value, button) {
  const form = select.locator("xpath=ancestor::form");
  const steer = async () => {
    await select.selectOption(value);
    if (!page.hasScripts) await form.getByRole("button", { name: button, exact: true }).click();
  };
  await Promise.all([page.waitForEvent("load"), steer()]);
}

/** What a link brings as a file: its name and its text. */
export async function file(page, link) {
  const [brought] = await Promise.all([page.waitForEvent("download"), link.click()]);
  return { name: brought.suggestedFilename(), text: readFileSync(await brought.path(), "utf8") };
}

/** Signs in by a link, with its one click. */
export async function signIn(page, link) {
  await page.goto(link);
  await page.locator("main form button").first().click();
  await page.waitForURL((url) => !url.pathname.endsWith("/link"));
}

/** What depends on the colours. */
const OF_COLOURS = ["color-contrast", "link-in-text-block"];

/** Every violation that axe finds on the page as it is now, in light and dark, on a phone and on a desk. */
export async function violations(page) {
  const found = [];
  await page.evaluate(axe);
  for (const width of [360, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      // The dark has other colours, and nothing else.
      const runOnly = colorScheme === "dark" ? OF_COLOURS : undefined;
      const rules = await page.evaluate(async (runOnly) => {
        const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"], ...(runOnly && { runOnly }) });
        return violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 120)}`);
      }, runOnly);
      found.push(...rules.map((rule) => `${colorScheme}, ${width} px: ${rule}`));
    }
  }
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize({ width: 1280, height: 900 });
  return found;
}

/** The widths at which the page is wider than its window. */
export async function overflows(page) {
  const wide = [];
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    const taken = await page.evaluate(() => document.documentElement.scrollWidth);
    if (taken > width) wide.push(`${taken} px in a window of ${width}`);
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  return wide;
}
