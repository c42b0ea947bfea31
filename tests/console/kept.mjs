// Hostile values that are kept: what was typed into one field, the others being as they should, is what is shown of it
// wherever it is shown, letter by letter, as text. And what all forms left behind, looked at page by page.

import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";

import { authorized, idOf, made, pem, press } from "./acts.mjs";
import { ENTITIES, VALUES, assertIsText } from "./hostile.mjs";

const { "right-to-left": rtl, emoji, long, markup } = VALUES;
/** Without blanks and capitals, as the names are by which people sign in; markup stays markup. */
const joined = (text) => text.replaceAll(/\s/g, "/").toLowerCase();
/** Markup of the characters that a scope may hold. */
const SCOPE = "<x-hit></x-hit><script>window.hit=1</script>";
/** Markup as short as the id of a key. */
const KID = `"'><x-hit onclick=hit()></x-hit>`;

/** Lists, and the pages of what stands in each. */
const LISTS = {
  "/console/applications": ["", "/credentials", "/apis", "/usage"],
  "/console/apis": ["", "/permissions", "/applications", "/test"],
  "/console/users": [""],
};
/** Most lines of the log that are opened, of each type. */
const MAX_LINES = 4;

/**
 * Each field whose text is kept: on which page, what it takes and what it refuses, what else the form needs, and where the
 * text stands afterwards, as pages with what holds it there: `path`, `selector`.
 */
export async function fields(page, { audience, testTab }) {
  const application = await made(page, "Hostile");
  await authorized(page, application, audience);
  const signer = await made(page, "Hostile keys");
  const permissions = testTab.replace("/test", "/permissions");
  const id = encodeURIComponent(idOf(application));
  const access = testTab.replace("/test", `/applications?q=${id}&open=${id}`);
  const inList = (path) => [`/console/users?q=${path.split("/").at(-1)}`, "tbody th a"];
  let count = 0;
  return [
    {
      what: "the tenant's name", at: "/console/settings", field: "#friendly_name", button: "Save",
      takes: [rtl, emoji, markup], refuses: [long],
      shown: () => [["/console/", ".brand span"], ["/console/", "title"], ["/console/settings", "#friendly_name"]],
    },
    {
      what: "an application's name", at: application, field: "#name", button: "Save",
      takes: [rtl, emoji, ENTITIES], refuses: [long, markup],
      shown: () => [
        [application, "h1"], [application, "#name"], [application, ".card.bad strong"], [`${application}/credentials`, "title"],
        [`/console/applications?q=${id}`, "tbody th a"], [access, "h2 a"],
        [`${testTab}?application=${id}`, "#application option"],
      ],
    },
    {
      what: "an application's description", at: application, field: "#description", button: "Save",
      takes: [rtl, emoji, markup], refuses: [long], shown: () => [[application, "#description"]],
    },
    {
      what: "an application's web origins", at: application, field: "#web_origins", button: "Save",
      takes: [rtl, emoji, markup], refuses: [long], shown: () => [[application, "#web_origins"]],
    },
    {
      what: "an API's name", at: "/console/apis/new", field: "#name", button: "Create API",
      others: () => ({ "#identifier": `https://hostile-${(count += 1)}.example.com` }),
      takes: [rtl, emoji, ENTITIES], refuses: [long, markup],
      shown: (path) => [[path, "h1"], [path, "#name"], ["/console/apis", "tbody th a"]],
    },
    {
      what: "an API's identifier", at: "/console/apis/new", field: "#identifier", button: "Create API",
      typed: (text) => `${text}.kept`, others: () => ({ "#name": "Hostile" }),
      takes: [rtl, emoji, markup], refuses: [long],
      shown: (path) => [
        [path, ".head code"], [path, ".card.bad strong"], [`${path}/test`, ".head code"], ["/console/apis", "tbody td code"],
        ["/console/settings", "#default_audience option"], [`${application}/apis`, "#audience option"],
      ],
    },
    {
      what: "a permission", at: permissions, field: "#added", button: "Add",
      takes: [SCOPE], refuses: [rtl, emoji, long, markup].map(joined),
      shown: () => [
        [permissions, "tbody th code"],
        ...[testTab, access, `${application}/apis`].map((path) => [path, ".ticks code"]),
      ],
    },
    {
      what: "what a permission allows", at: permissions, field: "#added", button: "Add", typed: (text) => `${SCOPE} ${text}`,
      takes: [rtl, emoji, markup], refuses: [long], shown: () => [[permissions, "tbody td"]],
    },
    {
      what: "a user's name", at: "/console/users/new", field: "#username", button: "Create user",
      others: () => ({ "#password": "correct horse Battery 9!" }),
      takes: [rtl, emoji, SCOPE, ENTITIES].map(joined), refuses: [long, markup],
      shown: (path) => [[path, "h1"], [path, "dl dd"], inList(path)],
    },
    {
      what: "a user's address", at: "/console/users/new", field: "#email", button: "Create user",
      typed: (text) => `${text}@example.org`, others: () => ({ "#password": "correct horse Battery 9!" }),
      takes: [rtl, emoji, markup, ENTITIES].map(joined), refuses: [long],
      shown: (path) => [[path, "h1"], [path, "dl dd"], inList(path)],
    },
    {
      what: "a key's name", at: `${signer}/credentials`, field: "#key-name", button: "Add the key",
      others: () => ({ "#pem": pem() }),
      takes: [rtl, emoji, ENTITIES], refuses: [long, markup],
      shown: () => [[`${signer}/credentials`, "tbody th small"]],
    },
    {
      what: "a key's id", at: `${signer}/credentials`, field: "#pem", button: "Add the key",
      typed: (kid) => JSON.stringify({ ...createPublicKey(pem()).export({ format: "jwk" }), kid }),
      takes: [rtl, emoji, KID], refuses: [long], shown: () => [[`${signer}/credentials`, "tbody th code"]],
    },
    {
      what: "an administrator's address", at: "/console/settings", field: "#email", button: "Add", done: "#link",
      typed: (text) => `${text}@example.org`,
      takes: [rtl, emoji, ENTITIES].map(joined), refuses: [long, joined(markup)],
      shown: () => [["/console/settings", "tbody th"]],
    },
  ];
}

/** Types each value into one field, and finds it again wherever it stands. */
export async function keep(page, { at, field, button, takes, shown, ...more }) {
  const { done = ".notice", typed = (text) => text, others = () => ({}), refuses = [] } = more;
  const wrong = [];
  const send = async (value) => {
    await page.goto(at);
    for (const [other, text] of Object.entries(others())) await page.locator(other).fill(text);
    await page.locator(field).evaluate((field) => {
      field.form.noValidate = true;
      field.removeAttribute("maxlength");
      if (field.tagName === "INPUT") field.type = "text";
    });
    await page.locator(field).fill(typed(value));
    await press(page, button);
    await page.locator(`${done}, .problem`).first().waitFor();
    await assertIsText(page, "as it was sent").catch((error) => wrong.push(`${error.message}: ${value.slice(0, 60)}`));
    return (await page.locator(done).count()) > 0;
  };
  for (const value of refuses) if (await send(value)) wrong.push(`taken: ${value.slice(0, 60)}`);
  for (const value of takes) {
    if (!(await send(value))) {
      wrong.push(`refused: ${value.slice(0, 60)}`);
      continue;
    }
    const path = new URL(page.url()).pathname.split("/").slice(0, 4).join("/");
    for (const [where, selector] of shown(path)) {
      await page.goto(where);
      const texts = await page.locator(selector).evaluateAll((all) =>
        all.map((one) => (one.matches("input, textarea") ? one.value : one.textContent)),
      );
      if (!texts.some((text) => text.includes(value))) wrong.push(`not on ${where} in ${selector}: ${value.slice(0, 60)}`);
      await assertIsText(page, where).catch((error) => wrong.push(`${error.message}: ${value.slice(0, 60)}`));
    }
  }
  assert.deepEqual(wrong, []);
}

/** The pages of every application, API and user that there is, and of lines of the log in which something hostile stands. */
export async function things(page) {
  const found = [];
  for (const [list, pages] of Object.entries(LISTS)) {
    for (let next = list; next; next = await nextOf(page)) {
      await page.goto(next);
      await assertIsText(page, next);
      found.push(...(await linksOf(page, "tbody th a")).flatMap((thing) => pages.map((page) => thing + page)));
    }
  }
  const beginnings = [...Object.values(VALUES), ENTITIES].map((value) => value.slice(0, 8));
  for (const type of ["f", "fepft", "fu", "feccft", "sapi", "fapi", "mgmt_api_read"]) {
    await page.goto(`/console/logs?type=${type}`);
    await assertIsText(page, `the log, ${type}`);
    const lines = await page.locator("tbody tr").evaluateAll((all, beginnings) => {
      const isHostile = (row) => beginnings.some((text) => row.textContent.includes(text));
      return all.filter(isHostile).map((row) => row.querySelector("a").getAttribute("href"));
    }, beginnings);
    found.push(...lines.slice(0, MAX_LINES));
  }
  return found;
}

const linksOf = (page, selector) =>
  page.locator(selector).evaluateAll((all) => all.map((link) => link.getAttribute("href")));

const nextOf = async (page) => (await linksOf(page, "a[rel=next]"))[0];
