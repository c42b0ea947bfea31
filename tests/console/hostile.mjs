// Hostile values in every field of every form: what comes back is text, runs nothing, and stays inside the window.

import assert from "node:assert/strict";

import { pem } from "./acts.mjs";

/** What is typed; an element of this name on any page means that markup was taken as such. */
const MARK = "x-hit";
const MARKUP = `"'><${MARK} onclick=hit()></${MARK}><script>window.hit=1</script><img src=x onerror="window.hit=1">\${7*7}{{7*7}}`;
export const VALUES = {
  "right-to-left": "\u202egnp.exe\u2066 \u0627\u0644\u0633\u0644\u0627\u0645 \u200f\u05e9\u05dc\u05d5\u05dd",
  emoji: "👩‍👩‍👧‍👦🏴‍☠️💣 Zoë n̶̡͓̈́̏ǫ̸̍",
  long: "W".repeat(10_240),
  control: "a\u0001b\u0007c\u001b[31md\u007fe\ttab",
  // The last, so that it is what stays where it was taken.
  markup: MARKUP,
};
/** Where markup is refused as such: what becomes some if it is unescaped once too often. */
export const ENTITIES = `"'&lt;${MARK}&gt;&amp;lt;\${7*7}{{7*7}}`;
/** A user agent; headers are ASCII. */
const AGENT = `"'><${MARK}></${MARK}><script>window.hit=1</script>`;

/** What people type into. */
const FIELDS = "textarea, input:not([type=hidden], [type=checkbox], [type=radio], [type=submit], [type=button])";

/** What else a form needs that makes something, by the names of its fields. */
const filled = (count) => ({
  name: "Filled in",
  identifier: `https://filled-in-${count}.example.com`,
  email: `filled-in-${count}@example.org`,
  password: "correct horse Battery 9!",
  pem: pem(),
});

/** Types `value` into the fields of form number `at` as if nothing in the page limited it, and sends the form: into every
 * field, or into number `only`, where the others stay as they are, or get what a form needs. */
async function send(page, at, { value, only, others }) {
  const isSent = await page.evaluate(
    ([at, value, only, others, selector]) => {
      const form = document.querySelectorAll("main form")[at];
      const fields = [...form.elements].filter((field) => field.matches(selector));
      if (fields.length === 0) return false;
      form.noValidate = true;
      fields.forEach((field, number) => {
        const isTyped = only === undefined || number === only;
        if (!isTyped) {
          field.value ||= others[field.name] ?? "";
          return;
        }
        for (const limit of ["maxlength", "minlength", "pattern", "min", "max"]) field.removeAttribute(limit);
        if (field.tagName === "INPUT") field.type = "text";
        field.value = value;
      });
      const button = [...form.querySelectorAll("button")].find((one) => one.type === "submit" && !one.hidden);
      form.dataset.typed = "yes";
      form.requestSubmit(button);
      return true;
    },
    [at, value, only, others, FIELDS],
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

/** What is sent through a form: each value in all of its fields. */
const together = () => Object.entries(VALUES).map(([name, value]) => ({ name, value }));
/** Markup in one field after the other of a form that has several, so that none is refused for the sake of another. */
const apart = (fields) =>
  fields < 2 ? [] : Array.from({ length: fields }, (_, only) => ({ name: `field ${only + 1}`, value: VALUES.markup, only }));

/** Sends hostile values through every form of these pages, on a phone; answers how many were sent. Goes on where something is
 * wrong, and tells all of it. */
export async function walk(page, targets) {
  const answers = [];
  const wrong = [];
  const note = (response) => {
    if (response.request().isNavigationRequest()) answers.push(response.status());
  };
  page.on("response", note);
  await page.setViewportSize({ width: 360, height: 800 });
  let sent = 0;
  for (const target of targets) {
    await page.goto(target);
    const forms = await page.locator("main form").evaluateAll(
      (all, selector) => all.map((form) => [...form.elements].filter((field) => field.matches(selector)).length),
      FIELDS,
    );
    for (const [at, fields] of forms.entries()) {
      for (const { name, value, only } of [...together(), ...apart(fields)]) {
        const where = `${target}, form ${at + 1}, ${name}`;
        await page.goto(target);
        if (at >= (await page.locator("main form").count())) break;
        answers.length = 0;
        if (!(await send(page, at, { value, only, others: only === undefined ? {} : filled(sent) }))) break;
        sent += 1;
        if (answers.some((status) => status >= 500)) wrong.push(`${where}: ${answers}`);
        if ((await page.locator("h1").count()) !== 1) wrong.push(`${where}: no page of the console answers, ${answers}`);
        await assertIsText(page, where).catch((error) => wrong.push(error.message));
      }
    }
  }
  page.off("response", note);
  assert.deepEqual(wrong, []);
  return sent;
}

/** Lines of the log that come while one looks: a user's name and a user agent are text in them, and in the whole entry. */
export async function live(page, base, { client_id, client_secret }, audience) {
  await page.goto("/console/logs");
  await page.locator("#live").waitFor();
  for (const name of ["right-to-left", "emoji", "long", "markup"]) {
    const headers = { "content-type": "application/json", "user-agent": AGENT };
    const asked = { grant_type: "password", client_id, client_secret, audience, username: VALUES[name], password: "wrong" };
    const answer = await fetch(`${base}/oauth/token`, { method: "POST", headers, body: JSON.stringify(asked) });
    assert.ok(answer.status >= 400 && answer.status < 500, `${name}: ${answer.status}`);
    // The log keeps the beginning of a long one.
    const text = VALUES[name].slice(0, 200);
    const line = await page.waitForFunction(
      (text) => [...document.querySelectorAll("tbody tr")].find((row) => row.textContent.includes(text)),
      text,
    );
    for (const width of [360, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      await assertIsText(page, `the live log, ${name}, ${width} px`);
    }
    const entry = await page.context().newPage();
    await entry.goto(await line.evaluate((row) => row.querySelector("a").getAttribute("href")));
    const whole = JSON.parse(await entry.locator("pre").textContent());
    assert.equal(whole.user_agent, AGENT);
    assert.ok(whole.user_name.startsWith(text), `${name}: ${whole.user_name}`);
    await assertIsText(entry, `the entry, ${name}`);
    await entry.close();
  }
}
