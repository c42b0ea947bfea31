// Servers of the tests' own: one that keeps each request it gets, one for pages, one in the place of jQuery's address.

import { execFileSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import path from "node:path";
import tls from "node:tls";

/** Answers 200 to everything; `take()` is what arrived since the last time, preflights left out. */
export async function startEcho() {
  let arrived = [];
  const server = await listen(http.createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const asked = request.headers["access-control-request-headers"] ?? "";
      response.setHeader("access-control-allow-origin", "*");
      response.setHeader("access-control-allow-headers", asked);
      if (request.method === "OPTIONS") return response.writeHead(204).end();
      const { method, url, headers, headersDistinct } = request;
      arrived.push({ method, url, headers, headersDistinct, body: Buffer.concat(chunks) });
      return response.writeHead(200, { "content-type": "application/json" }).end('{"echo":true}');
    });
  }));
  const { port } = server.address();
  return { url: `http://127.0.0.1:${port}`, take: (prefix) => {
    const taken = arrived.filter(({ url }) => url.startsWith(prefix));
    arrived = arrived.filter(({ url }) => !url.startsWith(prefix));
    return taken;
  } };
}

/** Serves pages by name: `put(name, text)`. */
export async function startPages() {
  const pages = new Map();
  const server = await listen(http.createServer((request, response) => {
    const page = pages.get(request.url);
    response.writeHead(page ? 200 : 404, { "content-type": "text/html; charset=utf-8" }).end(page ?? "");
  }));
  return { port: server.address().port, put: (name, text) => pages.set(name, text) };
}

/** jQuery as npm has it, where the page looks for it; `pin` is what a browser must believe of its certificate. */
export async function startLibrary(folder, file) {
  const made = mkdtempSync(path.join(folder, "library-"));
  const [key, cert] = ["key.pem", "cert.pem"].map((name) => path.join(made, name));
  const subject = ["-subj", "/CN=code.jquery.com", "-addext", "subjectAltName=DNS:code.jquery.com"];
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  execFileSync("openssl", ["req", ...kind, ...subject, "-keyout", key, "-out", cert], { stdio: "ignore" });
  const text = readFileSync(file);
  const options = { key: readFileSync(key), cert: readFileSync(cert) };
  const headers = { "content-type": "text/javascript", "access-control-allow-origin": "*" };
  const server = await listen(https.createServer(options, (request, response) => {
    response.writeHead(200, headers).end(text);
  }));
  return { port: server.address().port, pin: pinOf(new X509Certificate(options.cert)) };
}

/** What a browser must believe of the certificate of a server. */
export function pinOfServer(url) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    // Only to read the certificate: nothing is sent.
    const socket = tls.connect({ host: hostname, port, servername: hostname, rejectUnauthorized: false }, () => {
      resolve(pinOf(socket.getPeerX509Certificate()));
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

function pinOf(certificate) {
  return createHash("sha256").update(certificate.publicKey.export({ type: "spki", format: "der" })).digest("base64");
}

function listen(server) {
  return new Promise((resolve, reject) => {
    server.unref();
    server.once("error", reject).listen(0, "127.0.0.1", () => resolve(server));
  });
}
