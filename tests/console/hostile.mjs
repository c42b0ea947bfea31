// Hostile values in every field of every form: what comes back is text, runs nothing, and stays inside the window.

import assert from "node:assert/strict";

/** What is typed; an element of this name on any page means that markup was taken as such. */
const MARK = "x-hit";
export const VALUES = {
  "right-to-left": "\u202egnp.exe\u2066 \u0627\u0644\u0633\u0644\u0627\u0645 \u200f\u05e9\u05dc\u05d5\u05dd",
  emoji: "👩‍👩‍👧‍👦🏴‍☠️💣 Zoë n̶̡͓̈́̏ǫ̸̍",
  long: "W".repeat(10_240),
  control: "a\u0001b\u0007c\u001b[31md\u007fe\ttab",
  // The last, so that it is what stays where it was taken.
  markup: `"'><${MARK} onclick=hit()></${MARK}><script>window.hit=1</script><img src=x onerror="window.hit=1">\${7*7}{{7*7}}`,
};

/** Types `value` into every field of form number `at` as if nothing in the page limited it, and sends the form. */
async function send(page, at, value) {
  const isSent = await page.evaluate(
    ([at, value]) => {
      const form = document.querySelectorAll("main form")[at];
      const fields = [...form.querySelectorAll("input, textarea")].filter(
        ({ type }) => !["hidden", "checkbox", "radio", "submit", "button"].includes(type),
      );
      if (fields.length === 0) return false;
      form.noValidate = true;
      for (const field of fields) {
        for (const limit of ["maxlength", "minlength", "pattern", "min", "max"]) field.removeAttribute(limit);
        if (field.tagName === "INPUT") field.type = "text";
        field.value = value;
      }
      const button = [...form.querySelectorAll("button")].find((one) => one.type === "submit" && !one.hidden);
      form.dataset.typed = "yes";
      form.requestSubmit(button);
      return true;
    },
    [at, value],
  );
  if (isSent) await page.waitForFunction(() => !document.querySelector("form[data-typed]"));
  return isSent;
}

/** That nothing of what was typed is more than text, and that the page is as wide as its window. */
export async function assertIsText(page, where) {
  const found = await page.evaluate(
    (mark) => [document.querySelectorAll(`${mark}, main script, main img`).length, window.hit === undefined],
    MARK,
  );
  assert.deepEqual(found, [0, true], `${where}: markup was taken as such`);
  const [taken, width] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(taken <= width, `${where}: ${taken} px in a window of ${width}`);
}

/** Sends every value through every form of these pages, on a phone; answers how many were sent. */
export async function walk(page, targets) {
  const answers = [];
  const note = (response) => {
    if (response.request().isNavigationRequest()) answers.push(response.status());
  };
  page.on("response", note);
  await page.setViewportSize({ width: 360, height: 800 });
  let sent = 0;
  for (const target of targets) {
    await page.goto(target);
    const forms = await page.locator("main form").count();
    for (let at = 0; at < forms; at += 1) {
      for (const [name, value] of Object.entries(VALUES)) {
        const where = `${target}, form ${at + 1}, ${name}`;
        await page.goto(target);
        if (at >= (await page.locator("main form").count())) break;
        answers.length = 0;
        if (!(await send(page, at, value))) break;
        sent += 1;
        assert.ok(answers.every((status) => status < 500), `${where}: ${answers}`);
        assert.equal(await page.locator("h1").count(), 1, `${where}: no page of the console answers, ${answers}`);
        await assertIsText(page, where);
      }
    }
  }
  page.off("response", note);
  return sent;
}
