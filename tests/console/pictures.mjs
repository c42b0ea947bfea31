// Pictures: of pages as they are, for `docs/screens`, and the README's.

import { writeFileSync } from "node:fs";
import path from "node:path";

import { press } from "./acts.mjs";
import { issued, scoped } from "./tries.mjs";

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

/** The README's picture: an API's Test tab from its title on, with a token, what is in it, and the call that the API took. */
export async function readme(page, folder, testTab) {
  await page.goto(testTab);
  await page.locator("input[name=scope][value='read:messages']").check();
  await press(page, "Issue a token");
  await issued(page);
  await scoped(page);
  await press(page, "Send");
  await page.getByText("The API took the call").waitFor();
  await page.setViewportSize({ width: 1280, height: 1000 });
  const edge = (selector, side) =>
    page.locator(selector).evaluate((element, side) => element.getBoundingClientRect()[side] + scrollY, side);
  const top = (await edge("main > .head", "top")) - 10;
  const height = Math.ceil((await edge(".exchange", "bottom")) + 16 - top);
  await page.setViewportSize({ width: 1280, height });
  await page.evaluate((top) => scrollTo(0, top), top);
  await page.screenshot({ path: path.join(folder, "api-test.png") });
  await page.setViewportSize({ width: 1280, height: 900 });
}
