// A caller, nginx (and Caddy and Envoy where they are installed), the gate, a Django API that knows nothing of tokens, and an issuer
// that fails when asked to.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";

import { check, totals } from "../quickstart/check.mjs";
import { startDouble } from "../quickstart/double.mjs";
import { binary, freePort, start, top, until } from "../quickstart/house.mjs";
import { bearer } from "../quickstart/http.mjs";

// What `run` installed, or nothing.
const envoy = process.env.ENVOY ?? "";
const python = path.resolve(top, process.env.PYTHON ?? ".test/venv/bin/python");
const example = path.join(top, "examples/gate-nginx");
const folder = mkdtempSync(path.join(tmpdir(), "tokenhouse-gate-"));
const ports = { gate: await freePort(), api: await freePort(), nginx: await freePort(), plain: await freePort() };
const site = `http://127.0.0.1:${ports.nginx}`;

// Spoofed by every caller here; what the API may see of it is nothing.
const MADE_UP = {
  "x-auth-subject": "auth0|root",
  "x-auth-client-id": "root",
  "x-auth-scope": "everything",
  "x-auth-permissions": "everything",
  "x-auth-issuer": "http://root/",
  "x_auth_subject": "auth0|root",
  "x_auth-client_id": "root",
  "x-auth_scope": "everything",
  "x-original-uri": "/about",
  "x-original-method": "GET",
  "x-forwarded-uri": "/about",
};

// What an API may take for a path that the gate has another rule for.
const AMBIGUOUS = [
  "/about/../messages", "/about/%2e%2e/messages", "/about/.%2E/messages", "/about//messages", "//messages",
  "/about%2f..%2fmessages", "/about/..%5cmessages", "/about;/../messages", "/about/;a=b", "/about%3b/", "/About",
  "/ABOUT/us", "/about./us", "/about%20/us", "/about/%c0%ae%c0%ae/messages", "/about/%252e%252e/messages", "/messages%2f",
  "/%6d%65ssages%2e", "/about/%00", "/about/%0d%0aX-Auth-Subject:%20root", "/about\\..\\messages",
];

/** One request whose path is sent as it is written: Node's own URL parser would tidy it. */
function ask(target, { method = "GET", headers = {}, url = site } = {}) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = { ...MADE_UP, ...headers };
    const exchange = http.request({ hostname, port, method, path: target, headers: sent, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text }));
    });
    exchange.setTimeout(15_000, () => exchange.destroy(new Error(`${target}: no answer in 15 s`)));
    exchange.on("error", reject);
    exchange.end();
  });
}

/** What Django says that it was told of the caller. */
const caller = (answer) => JSON.parse(answer.text).caller;

/** An API like Django's, that tells of every name which CGI would read as one of the gate's: Django's own server drops some. */
function startPlain() {
  const isGates = (name) => name.toLowerCase().replaceAll("_", "-").startsWith("x-auth-");
  const server = http.createServer(({ method, url, headers }, response) => {
    const told = Object.entries(headers).filter(([name]) => isGates(name));
    response.end(JSON.stringify({ method, path: url.split("?")[0], caller: Object.fromEntries(told) }));
  });
  server.listen(ports.plain, "127.0.0.1").unref();
}

/** A gate for `issuer`, configured as the example is; its keys from another place if `keys` names one. */
async function startGate(issuer, { proxy = "nginx", port = ports.gate, keys } = {}) {
  const file = path.join(folder, `gate-${proxy}.toml`);
  const written = readFileSync(path.join(example, "gate.toml"), "utf8");
  const changed = written.replace("http://localhost:4000/", issuer).replace('"nginx"', `"${proxy}"`);
  writeFileSync(file, `${keys ? `jwks_url = "${keys}"\n` : ""}${changed}`);
  const gate = start(binary, ["gate", "--config", file, "--listen", `127.0.0.1:${port}`], { log: "gate-process.log" });
  await until("the gate", 10_000, () => gate.stdout().includes("The gate answers"));
  return { ...gate, url: `http://127.0.0.1:${port}` };
}

/** Caddy as docs/gate.md has it, before an API, asking this gate. Answers where it listens. */
async function startCaddy(asked) {
  const [, written] = readFileSync(path.join(top, "docs/gate.md"), "utf8").match(/```caddyfile\n(.*?)```/s);
  const url = `http://127.0.0.1:${await freePort()}`;
  let changed = written.replace("api.example.com {", `${url} {`);
  changed = changed.replace("127.0.0.1:4180", new URL(asked.url).host).replace("127.0.0.1:3012", `127.0.0.1:${ports.plain}`);
  const file = path.join(folder, "Caddyfile");
  writeFileSync(file, `{\n\tadmin off\n}\n${changed}`);
  const env = { XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const caddy = start("caddy", ["run", "--config", file, "--adapter", "caddyfile"], { log: "gate-caddy.log", env });
  others.push(asked, caddy);
  await until("Caddy", 10_000, () => ask("/about", { url }).then(({ status }) => status !== 502, () => false));
  return url;
}

/** Envoy with what docs/gate.md says of its HttpConnectionManager, before an API. Answers where it listens. */
async function startEnvoy(asked) {
  const [, written] = readFileSync(path.join(top, "docs/gate.md"), "utf8").match(/```yaml\n(common_http_.*?)```/s);
  const port = await freePort();
  const address = (at) => `{ socket_address: { address: 127.0.0.1, port_value: ${at} } }`;
  const cluster = (name, at) => `  - name: ${name}
    connect_timeout: 1s
    load_assignment: { cluster_name: ${name}, endpoints: [{ lb_endpoints: [{ endpoint: { address: ${address(at)} } }] }] }
`;
  const file = path.join(folder, "envoy.yaml");
  writeFileSync(file, `static_resources:
  listeners:
  - address: ${address(port)}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: api
          route_config:
            virtual_hosts: [{ name: api, domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: api } }] }]
${written.trimEnd().replace(/^/gm, " ".repeat(10))}
  clusters:
${cluster("gate", new URL(asked.url).port)}${cluster("api", ports.plain)}`);
  // One thread, and no shared memory that another Envoy of this machine might have.
  const args = ["--config-path", file, "--concurrency", "1", "--use-dynamic-base-id", "--log-level", "warning"];
  const proxy = start(envoy, args, { log: "gate-envoy.log" });
  others.push(asked, proxy);
  const url = `http://127.0.0.1:${port}`;
  await until("Envoy", 20_000, () => ask("/about", { url }).then(({ status }) => status === 200, () => false));
  return url;
}

/** What every proxy that copies headers itself has to keep, `name` at `site`, and then without its `asked`. */
async function checkProxy(name, site, asked, { both, reader, whenDead }) {
  const through = (target, headers, method) => ask(target, { url: site, headers, method });
  // Not every Caddy copies an empty header.
  const told = (answer) => Object.fromEntries(Object.entries(caller(answer)).filter(([, value]) => value !== ""));
  await check(`behind ${name}: 401 and 403 with their challenges, as JSON`, async () => {
    const nobody = await through("/messages", {});
    assert.deepEqual([nobody.status, nobody.headers["www-authenticate"]], [401, 'Bearer realm="api"']);
    const denied = await through("/messages", bearer(reader), "POST");
    assert.equal(denied.status, 403);
    assert.match(denied.headers["www-authenticate"], /error="insufficient_scope".*scope="write:messages admin"/);
    for (const { headers, text } of [nobody, denied]) {
      assert.equal(headers["content-type"], "application/json");
      assert.doesNotThrow(() => JSON.parse(text));
    }
    assert.equal((await through("/messages", bearer(both), "POST")).status, 200);
  });
  await check(`behind ${name} the API learns who is calling, whatever the caller says of itself`, async () => {
    const answer = await through("/messages/1?a=b", bearer(reader));
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(told(answer), {
      "x-auth-subject": "reader@clients",
      "x-auth-client-id": "reader",
      "x-auth-scope": "read:messages",
      "x-auth-issuer": issuer,
    });
    for (const headers of [{}, bearer(both), bearer("garbage")]) {
      assert.deepEqual(told(await through("/about/us", headers)), {});
    }
  });
  await check(`behind ${name} a path that could be read in two ways never reaches the API`, async () => {
    for (const target of AMBIGUOUS) {
      const { status, text } = await through(target, bearer(both));
      assert.ok([400, 403].includes(status), `${target}: ${status}`);
      assert.ok(!text.includes('"caller"'), target);
    }
  });
  await check(`behind ${name} nothing passes without a gate`, async () => {
    await asked.end("SIGTERM");
    for (const target of ["/about", "/profile"]) {
      assert.equal((await through(target, bearer(both))).status, whenDead, target);
    }
  });
}

const hasCaddy = spawnSync("caddy", ["version"]).status === 0;
cpSync(path.join(example, "nginx.conf"), path.join(folder, "nginx.conf"));
let nginxConf = readFileSync(path.join(folder, "nginx.conf"), "utf8");
for (const [from, to] of [["4180", ports.gate], ["3012", ports.api], ["8080", ports.nginx]]) {
  nginxConf = nginxConf.replace(`127.0.0.1:${from}`, `127.0.0.1:${to}`);
}
// Its workers may be another user's, who has to get at its folder.
writeFileSync(path.join(folder, "nginx.conf"), `${process.getuid?.() === 0 ? "user root;\n" : ""}${nginxConf}`);
mkdirSync(path.join(folder, "tmp"));

const house = await startDouble({ log: "gate-house.log" });
const { issuer } = house.facts;
let gate = await startGate(issuer);
const django = start(python, ["api.py", `127.0.0.1:${ports.api}`], { log: "gate-django.log", cwd: example });
const nginx = start("nginx", ["-p", folder, "-c", "nginx.conf"], { log: "gate-nginx.log" });
startPlain();
const others = [];

try {
  const answers = (url) => () => ask("/about", { url }).then(({ status }) => status !== 502, () => false);
  await until("Django", 30_000, answers(`http://127.0.0.1:${ports.api}`));
  await until("nginx", 10_000, answers(site));
  const both = await house.token("Messenger");
  const reader = await house.token("Reader");

  await check("everybody reads what is public, and nobody is anybody there", async () => {
    for (const headers of [{}, bearer(both), bearer("garbage")]) {
      const answer = await ask("/about/us", { headers });
      assert.equal(answer.status, 200);
      assert.deepEqual(caller(answer), {});
    }
  });
  await check("401 without a token, with a challenge", async () => {
    const answer = await ask("/messages");
    assert.equal(answer.status, 401);
    assert.equal(answer.headers["www-authenticate"], 'Bearer realm="api"');
  });
  await check("401 with a token that is none, and why", async () => {
    const answer = await ask("/profile", { headers: bearer("garbage") });
    assert.equal(answer.status, 401);
    assert.match(answer.headers["www-authenticate"], /error="invalid_token"/);
  });
  await check("with a token the API learns who is calling, whatever the caller says of itself", async () => {
    const answer = await ask("/messages/1?a=b", { headers: bearer(reader) });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(JSON.parse(answer.text).path, "/messages/1");
    assert.deepEqual(caller(answer), {
      "x-auth-subject": "reader@clients",
      "x-auth-client-id": "reader",
      "x-auth-scope": "read:messages",
      "x-auth-issuer": issuer,
    });
  });
  await check("a user is told from an application", async () => {
    const { username, password } = house.facts.users[0];
    const alice = await house.token("Reader", { grant_type: "password", username, password, scope: "read:messages" });
    const seen = caller(await ask("/profile", { headers: bearer(alice) }));
    assert.deepEqual([seen["x-auth-subject"], seen["x-auth-client-id"]], ["auth0|alice", "reader"]);
  });
  await check("403 without the scope, with a challenge that names it", async () => {
    const answer = await ask("/messages", { method: "POST", headers: bearer(reader) });
    assert.equal(answer.status, 403);
    assert.match(answer.headers["www-authenticate"], /error="insufficient_scope".*scope="write:messages admin"/);
    assert.equal((await ask("/messages", { method: "POST", headers: bearer(both) })).status, 200);
  });
  await check("what no rule is for is denied: a path, a method", async () => {
    for (const [target, method] of [["/", "GET"], ["/messages-old", "GET"], ["/messages", "PUT"], ["/gates", "GET"]]) {
      assert.equal((await ask(target, { method, headers: bearer(both) })).status, 403, `${method} ${target}`);
    }
    assert.equal((await ask("/gate", { headers: bearer(both) })).status, 404, "the gate is not for callers");
  });
  await check("a path that could be read in two ways never reaches the API", async () => {
    for (const target of AMBIGUOUS) {
      const { status, text } = await ask(target, { headers: bearer(both) });
      assert.ok([400, 403].includes(status), `${target}: ${status}`);
      assert.ok(!text.includes('"caller"'), target);
    }
  });
  await check("an encoded letter is the letter", async () => {
    assert.equal((await ask("/%6dessages")).status, 401);
    assert.equal((await ask("/%6dessages", { headers: bearer(reader) })).status, 200);
  });
  await check("two tokens at once are refused", async () => {
    for (const more of ["", "&a=^", "&a=<"]) {
      const answer = await ask(`/messages?access_token=${both}${more}`, { headers: bearer(both) });
      assert.equal(answer.status, 403, more);
    }
  });
  await check("an expired token is 401, and so is one for another API", async () => {
    for (const is of ["expired", "wrong_audience"]) {
      await house.steer("PUT", "faults/next_token", { is });
      const answer = await ask("/profile", { headers: bearer(await house.token("Messenger")) });
      assert.equal(answer.status, 401, is);
    }
  });
  await check("a rotation refuses nobody", async () => {
    await house.steer("POST", "rotate");
    assert.equal((await ask("/profile", { headers: bearer(await house.token("Messenger")) })).status, 200);
    assert.equal((await ask("/profile", { headers: bearer(both) })).status, 200);
  });
  if (hasCaddy) {
    const asked = await startGate(issuer, { proxy: "caddy", port: await freePort() });
    await checkProxy("Caddy", await startCaddy(asked), asked, { both, reader, whenDead: 502 });
  } else {
    console.log("behind Caddy: not run, there is no caddy (apt-get install caddy)");
  }
  if (envoy) {
    const port = await freePort();
    const asked = await startGate(issuer, { proxy: "envoy", port });
    const site = await startEnvoy(asked);
    await checkProxy("Envoy", site, asked, { both, reader, whenDead: 503 });
    await check("behind Envoy a gate without keys is 503, never 401 or 403", async () => {
      const keys = `http://127.0.0.1:${await freePort()}/keys`;
      others.push(await startGate(issuer, { proxy: "envoy", port, keys }));
      await until("the new gate", 10_000, async () => (await ask("/about", { url: site })).status === 200);
      assert.equal((await ask("/profile", { url: site, headers: bearer(both) })).status, 503);
    });
  } else {
    console.log("behind Envoy: not run, tests/gate/requirements.txt cannot be installed here");
  }
  await check("Caddy's and Traefik's questions stand in X-Forwarded-…", async () => {
    for (const proxy of ["caddy", "traefik"]) {
      const other = await startGate(issuer, { proxy, port: await freePort() });
      others.push(other);
      const question = (method, target) => ({ "x-forwarded-method": method, "x-forwarded-uri": target });
      const asked = (target, headers) => ask("/", { url: other.url, headers: { ...question("GET", target), ...headers } });
      const passed = await asked("/messages", bearer(reader));
      assert.equal(passed.status, 200);
      assert.equal(passed.headers["x-auth-subject"], "reader@clients");
      assert.equal(passed.headers["x-auth-permissions"], "", "empty, so that it takes the place of a made-up one");
      assert.equal((await asked("/messages")).status, 401);
      assert.equal((await asked("/about/../messages")).status, 403);
      assert.equal((await ask("/about", { url: other.url })).status, 500, "without a method it is no question");
    }
  });
  await check("Envoy's question is the request itself", async () => {
    const other = await startGate(issuer, { proxy: "envoy", port: await freePort() });
    others.push(other);
    assert.equal((await ask("/messages?a", { url: other.url, headers: bearer(reader) })).status, 200);
    assert.equal((await ask("/messages", { url: other.url, method: "POST", headers: bearer(reader) })).status, 403);
    assert.equal((await ask("/about/../messages", { url: other.url, headers: bearer(reader) })).status, 403);
  });
  await check("the issuer goes away: the keys that are held still serve", async () => {
    await house.end("SIGTERM");
    assert.equal((await ask("/profile", { headers: bearer(both) })).status, 200);
  });
  await check("a gate that never saw a key answers 503 and when to come back, never 401", async () => {
    await gate.end("SIGTERM");
    gate = await startGate(issuer);
    const answer = await ask("/profile", { headers: bearer(both) });
    assert.equal(answer.status, 503);
    assert.match(answer.headers["retry-after"], /^[0-9]+$/);
    assert.equal((await ask("/about")).status, 200);
  });
  await check("without a gate nothing passes", async () => {
    await gate.end("SIGTERM");
    assert.equal((await ask("/about")).status, 500);
  });
} finally {
  for (const running of [nginx, django, house, gate, ...others]) await running.end("SIGTERM");
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = totals();
