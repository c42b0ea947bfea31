// One HTTP request, with nothing added: each header that is sent was asked for, nothing is followed or kept alive.

import http from "node:http";

import { secret } from "./check.mjs";

/** Answers `{ status, headers, text, json() }`. An object as `json` or `form` becomes the body. */
export function request(method, url, { headers = {}, json, form } = {}) {
  const sent = { ...headers };
  let body;
  if (json !== undefined) {
    body = JSON.stringify(json);
    sent["content-type"] ??= "application/json";
  } else if (form !== undefined) {
    body = new URLSearchParams(form).toString();
    sent["content-type"] ??= "application/x-www-form-urlencoded";
  }
  if (body !== undefined) sent["content-length"] = Buffer.byteLength(body);
  return new Promise((resolve, reject) => {
    const exchange = http.request(url, { method, headers: sent, agent: false, timeout: 15_000 }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({ status: response.statusCode, headers: response.headers, text, json: () => JSON.parse(text) });
      });
    });
    exchange.on("timeout", () => exchange.destroy(new Error(`${method} ${url}: no answer in 15 s`)));
    exchange.on("error", reject);
    exchange.end(body);
  });
}

/** `Authorization: Bearer …` */
export function bearer(token) {
  return { authorization: `Bearer ${token}` };
}

/** `Authorization: Basic …`, id and secret form-encoded first, as RFC 6749 §2.3.1 says. */
export function basic({ client_id, client_secret }) {
  const encode = (part) => encodeURIComponent(part).replaceAll("%20", "+");
  const pair = `${encode(client_id)}:${encode(client_secret)}`;
  return { authorization: `Basic ${secret(Buffer.from(pair).toString("base64"))}` };
}

/** The decoded header and claims of a JWT; nothing is verified. */
export function decode(token) {
  const parts = token.split(".", 2);
  const [header, claims] = parts.map((part) => JSON.parse(Buffer.from(part, "base64url").toString("utf8")));
  return { header, claims };
}
