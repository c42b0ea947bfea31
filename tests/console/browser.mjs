// The browser, an administrator who is signed in to it, and what every page is held to.

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

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
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(error.message));
  page.on("console", (message) => {
    const isRefusal = /status of 4\d\d/.test(message.text());
    if (message.type() === "error" && !isRefusal) page.complaints.push(message.text());
  });
  page.setDefaultTimeout(10_000);
  return page;
}

/** Signs in by a link, with its one click. */
export async function signIn(page, link) {
  await page.goto(link);
  await page.locator("main form button").first().click();
  await page.waitForURL((url) => !url.pathname.endsWith("/link"));
}

/** Every violation that axe finds on the page as it is now, in light and dark, on a phone and on a desk. */
export async function violations(page) {
  const found = [];
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    for (const width of [360, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      await page.evaluate(axe);
      const rules = await page.evaluate(async () => {
        const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
        return violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 120)}`);
      });
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

/** Most pixels of a picture from its top. */
const MAX_HEIGHT = 2200;

/** Pictures of the page as it is now: on a desk and on a phone, and in the dark where `isMain`. */
export async function shoot(page, folder, name, isMain) {
  const session = await page.context().newCDPSession(page);
  for (const [width, colorScheme] of [[1280, "light"], [360, "light"], ...(isMain ? [[1280, "dark"], [360, "dark"]] : [])]) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    // As high as the page, so that what stays in the window is drawn once.
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.setViewportSize({ width, height: Math.min(height, MAX_HEIGHT) });
    await page.evaluate(() => scrollTo(0, 0));
    const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: 72 });
    const scheme = colorScheme === "dark" ? "-dark" : "";
    writeFileSync(path.join(folder, `${name}-${width}${scheme}.webp`), Buffer.from(data, "base64"));
  }
  await session.detach();
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize({ width: 1280, height: 900 });
}
