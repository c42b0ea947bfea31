// The main path by the keyboard alone: Tab and Shift+Tab, arrows, Space and Enter. Whatever has the focus on the way shows it.

import assert from "node:assert/strict";

/** Most steps from one thing to the next. */
const MAX_STEPS = 60;

/** From the link that signs in to a 200 of the sample API. */
export async function mainPath(page, link) {
  const main = page.locator("main");
  await page.goto(link);
  // What is to be done on the page has the focus already.
  await main.locator("button:focus").filter({ hasText: "Sign in" }).waitFor();
  await assertShowsFocus(page);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Home", exact: true }).waitFor();

  await tabTo(page, page.getByRole("navigation").getByRole("link", { name: "APIs" }));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "APIs", exact: true }).waitFor();
  await overNavigation(page);
  await tabTo(page, main.getByRole("link", { name: "Sample API", exact: true }));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Sample API", exact: true }).waitFor();
  await overNavigation(page);
  await tabTo(page, main.getByRole("link", { name: "Test", exact: true }));
  await page.keyboard.press("Enter");

  // Other applications, by arrows, which lead nowhere; Enter, or the button that comes, shows the page for one of them.
  const application = page.locator("#application");
  const picked = () => page.locator("#application option:checked").textContent();
  const show = main.locator("#ask").getByRole("button", { name: "Show", exact: true });
  await application.waitFor();
  assert.ok(await show.isHidden(), "where scripts run, a pointer needs no button");
  await tabTo(page, application);
  const navigations = await countNavigations(page, async () => {
    for (const key of ["ArrowDown", "ArrowDown", "ArrowUp"]) await page.keyboard.press(key);
    await page.waitForTimeout(300);
  });
  assert.equal(navigations, 0, "an arrow sends nothing");
  assert.ok(await hasFocus(application), "who picks by arrows stays where they are");
  assert.equal(await picked(), "Sample reader");
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
  assert.equal(await picked(), "Sample reader");
  assert.equal(await page.locator("#access-token").count(), 0, "Enter in the list issues nothing");
  await tabTo(page, application);
  await page.keyboard.press("ArrowDown");
  await tabTo(page, show);
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
  assert.notEqual(await picked(), "Sample reader");
  await tabTo(page, application);
  await page.keyboard.press("ArrowUp");
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
  assert.equal(await picked(), "Sample reader");
  const scope = page.locator("input[name=scope][value='read:messages']");
  await tabTo(page, scope);
  await page.keyboard.press("Space");
  assert.ok(await scope.isChecked(), "Space ticks the scope");
  const issue = main.getByRole("button", { name: "Issue a token" });
  await tabTo(page, issue);
  // Back, and there again.
  await tabTo(page, scope, "Shift+Tab");
  await tabTo(page, issue);
  await page.keyboard.press("Enter");
  await page.locator("#access-token").waitFor();
  await tabTo(page, main.getByRole("button", { name: "Send", exact: true }));
  await page.keyboard.press("Enter");
  await page.getByText("The API took the call").waitFor();
  assert.match(await page.locator(".exchange").textContent(), /HTTP\/1\.1 200 OK/);
  assert.deepEqual(page.complaints, []);
}

/** Presses `key` until `target` has the focus. */
async function tabTo(page, target, key = "Tab") {
  for (let steps = 0; steps < MAX_STEPS; steps += 1) {
    await page.keyboard.press(key);
    await assertShowsFocus(page);
    if (await hasFocus(target)) return;
  }
  assert.fail(`${target} is not reached by ${MAX_STEPS} times ${key}`);
}

/** Skips what every page begins with, by its first link. */
async function overNavigation(page) {
  await tabTo(page, page.getByRole("link", { name: "Skip to the page" }));
  await page.keyboard.press("Enter");
  assert.ok(await hasFocus(page.locator("main")), "the first link leads into the page");
}

/** How often the window goes somewhere while `act` runs. */
async function countNavigations(page, act) {
  let count = 0;
  const went = () => { count += 1; };
  page.on("framenavigated", went);
  await act();
  page.off("framenavigated", went);
  return count;
}

const hasFocus = (target) => target.evaluate((element) => element === document.activeElement);

/** That one sees what has the focus: an outline or a shadow, inside the window. */
async function assertShowsFocus(page) {
  const focus = await page.evaluate(() => {
    const element = document.activeElement;
    if (!element || element === document.body) return { isSeen: true };
    // Its own, or that of what is laid over it.
    const isDrawn = [null, "::after"].some((part) => {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element, part);
      return (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || (!part && boxShadow !== "none");
    });
    const { top, bottom, left, right } = element.getBoundingClientRect();
    const isInside = bottom > 0 && right > 0 && top < innerHeight && left < innerWidth;
    return { isSeen: isDrawn && isInside, isDrawn, isInside, html: element.outerHTML.slice(0, 120) };
  });
  assert.ok(focus.isSeen, `the focus is not seen (drawn: ${focus.isDrawn}, inside: ${focus.isInside}): ${focus.html}`);
}
