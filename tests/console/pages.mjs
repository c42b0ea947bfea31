// Every page that links lead to, one of each shape; that no link is broken; and that no page of the router is missed.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";

import { top } from "../quickstart/house.mjs";

/** More shapes of pages than the console has: beyond, something makes ever new ones. */
const MAX_PAGES = 80;

/** Paths with a GET to which no link leads, and why not. */
const UNLINKED = {
  "/console": "sends on to the path with the slash",
  "/console/static/{file}": "what pages load, weighed with each of them",
  "/console/sign-in": "the door, held to the same by itself",
  "/console/link": "the door, held to the same by itself",
  "/console/settings/administrators": "shows a link once, where one was made: a state",
  "/console/logs/live": "the stream of the log's page",
  "/console/{*path}": "what is not there, held to the same by itself",
};

/** What two addresses have in common that lead to pages of one shape; ids have digits or capitals. */
const shapeOf = (address) => address.replace(/\?.*/, "").replace(/[^/]*[\dA-Z][^/]*/g, "·").replace(/\/$/, "");
/** The same with the query, but for ids in it. */
const kindOf = (address) => address.replace(/[^/?&=]*[\dA-Z][^/?&=]*/g, "·");
const pathOf = (address) => address.replace(/\?.*/, "");

/** What a walk met. */
export class Walk {
  /** Of each shape, the page that was looked at. */
  pages = new Map();
  /** Every path that answered, pages and files and what leads on. */
  answered = new Set();
  /** One link of each kind. */
  links = new Map();
  /** Links that lead nowhere, and why. */
  broken = [];

  /** Follows links from these addresses on; `look(name, target)` looks at each page as it is shown. */
  async from(page, addresses, look) {
    const waiting = [...addresses];
    const seen = new Set();
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
      const shape = shapeOf(target);
      if (seen.has(shape)) continue;
      seen.add(shape);
      if (this.pages.size === MAX_PAGES) {
        this.broken.push(`${target}: more than ${MAX_PAGES} shapes of pages`);
        return;
      }
      if (!(await this.#open(page, target))) continue;
      this.answered.add(pathOf(target));
      const shown = new URL(page.url());
      if (shown.pathname !== pathOf(target)) {
        // What leads on is looked at where it leads.
        waiting.push(shown.pathname + shown.search);
        continue;
      }
      this.pages.set(shape, target);
      waiting.push(...(await this.#read(page, target)));
      const name = shape.replace(/^\/console/, "").replaceAll("/", "-").replaceAll("·", "one").slice(1) || "home";
      await look(name, target);
    }
  }

  /** Opens a page: whether there is one. A file is not shown, but is there. */
  async #open(page, target) {
    let answer;
    try {
      answer = await page.goto(target, { waitUntil: "load" });
    } catch (error) {
      const { status, type } = await this.#file(page, target);
      const isFile = status === 200 && /^(text\/csv|application\/x-ndjson)/.test(type);
      if (isFile && /Download is starting/.test(error.message)) this.answered.add(pathOf(target));
      else this.broken.push(`${target}: ${status}, ${type}, ${error.message}`);
      return false;
    }
    if (answer.status() === 200) return true;
    this.broken.push(`${target}: ${answer.status()}`);
    return false;
  }

  async #file(page, target) {
    const answer = await page.request.get(target);
    return { status: answer.status(), type: answer.headers()["content-type"] ?? "" };
  }

  /** The console's addresses that the page links to; each anchor within the page is there. */
  async #read(page, target) {
    const links = await page.locator("a[href]").evaluateAll((all) => {
      const here = `${location.href.split("#")[0]}#`;
      return all.map(({ href, hash, origin, pathname, search }) => ({
        address: origin === location.origin ? pathname + search : undefined,
        isMissed: href.startsWith(here) && hash && !document.getElementById(decodeURIComponent(hash.slice(1))),
        href,
      }));
    });
    this.broken.push(...links.filter(({ isMissed }) => isMissed).map(({ href }) => `${target}: nothing has the name of ${href}`));
    const addresses = links.map(({ address }) => address).filter((address) => address !== undefined);
    for (const address of addresses) if (!this.links.has(kindOf(address))) this.links.set(kindOf(address), address);
    return addresses.filter((address) => address.startsWith("/console/"));
  }

  /** Asks for one link of each kind, those too whose pages were not looked at. */
  async assertLinksLead(page) {
    for (const target of this.links.values()) {
      const { status } = await this.#file(page, target);
      if (status !== 200) this.broken.push(`${target}: ${status}`);
    }
    assert.deepEqual(this.broken, []);
    return this.links.size;
  }

  /** That every path with a GET was met, or is one of those that no link leads to. */
  assertMetEveryRoute() {
    const routes = getRoutes();
    const stale = Object.keys(UNLINKED).filter((route) => !routes.includes(route));
    assert.deepEqual(stale, [], "no routes any more");
    // The plainest first: `/console/users/new` is no user.
    const held = (route) => route.split("{").length + (route.includes("{*") ? 10 : 0);
    const patterns = routes.sort((a, b) => held(a) - held(b)).map((route) => {
      const pattern = route.replace(/\{\*\w+\}/g, ".+").replace(/\{\w+\}/g, "[^/]+");
      return [route, new RegExp(`^${pattern}$`)];
    });
    const met = new Set(Object.keys(UNLINKED));
    for (const address of this.answered) met.add(patterns.find(([, pattern]) => pattern.test(address))?.[0]);
    assert.deepEqual(routes.filter((route) => !met.has(route)), [], "routes that no link leads to");
  }
}

/** The paths of the console's router that answer a GET. */
function getRoutes() {
  const source = readFileSync(path.join(top, "crates/server/src/router.rs"), "utf8");
  const [, list] = /pub fn console_routes\(\)[^{]*\{([\s\S]*?)\n\}/.exec(source);
  const routes = [...list.matchAll(/Route::(?:page|open)\(\s*"([^"]+)"/g)].map(([, route]) => route);
  assert.ok(routes.length > 30, `${routes.length} routes are read from the router`);
  return routes;
}
