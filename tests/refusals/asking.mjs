// Requests over connections that are kept alive, many at a time.

import https from "node:https";

/** Enough that the server is never idle, few enough that none of them waits long. */
const AT_ONCE = 16;
const agent = new https.Agent({ keepAlive: true, maxSockets: AT_ONCE });
let asked = 0;

/**
 * Answers `{ status, headers, text, json() }`. `json` is sent as JSON; `text` as it is, and called JSON. `host` asks for
 * another tenant than that of the URL, at the same door.
 */
export function ask(method, url, { token, host, json, text = JSON.stringify(json), headers = {} } = {}) {
  asked += 1;
  const sent = { ...headers };
  if (token) sent.authorization = `Bearer ${token}`;
  if (host) sent.host = host;
  if (text !== undefined) sent["content-type"] = "application/json";
  if (text !== undefined) sent["content-length"] = Buffer.byteLength(text);
  // The certificate is that of the door, whichever tenant is asked for.
  const options = { method, headers: sent, agent, servername: new URL(url).hostname, timeout: 30_000 };
  return new Promise((resolve, reject) => {
    const exchange = https.request(url, options, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const whole = Buffer.concat(chunks).toString("utf8");
        resolve({ status: response.statusCode, headers: response.headers, text: whole, json: () => JSON.parse(whole) });
      });
    });
    exchange.on("timeout", () => exchange.destroy(new Error(`${method} ${url}: no answer in 30 s`)));
    exchange.on("error", reject).end(text);
  });
}

/** The same, and another status than `wanted` is an error. Answers the body. */
export async function expect(wanted, method, url, more) {
  const answer = await ask(method, url, more);
  if (answer.status !== wanted) throw new Error(`${method} ${url} answered ${answer.status}: ${answer.text.slice(0, 300)}`);
  return answer.text && answer.json();
}

/** How many requests were made. */
export function requests() {
  return asked;
}

/** Does `work` for each of these, many at a time. */
export async function forEach(items, work) {
  const left = items.values();
  const worker = async () => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
