// npm's oidc-provider as an authorization server: client credentials, JWT access tokens by resource indicators (ES256
// for the resource that ends so, RS256 for others), its in-memory adapter. And, with `api` in place of `issuer`, a plain
// Node API that verifies such tokens with jose.
//   node server.mjs issuer PORT CLIENT_ID CLIENT_SECRET
//   node server.mjs api PORT ISSUER AUDIENCE
import { createServer } from "node:http";

import { createRemoteJWKSet, exportJWK, generateKeyPair, jwtVerify } from "jose";
import { Provider } from "oidc-provider";

const SCOPE = "read";

async function issuer(port, id, secret) {
  const algorithms = ["RS256", "ES256"];
  const keys = algorithms.map(async (alg) => {
    const { privateKey } = await generateKeyPair(alg, { modulusLength: 2048, extractable: true });
    return { ...(await exportJWK(privateKey)), alg, use: "sig" };
  });
  const resource = (_, indicator) => ({
    scope: SCOPE,
    audience: indicator,
    accessTokenFormat: "jwt",
    accessTokenTTL: 86400,
    jwt: { sign: { alg: indicator.endsWith("es256") ? "ES256" : "RS256" } },
  });
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [
      {
        client_id: id,
        client_secret: secret,
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: "client_secret_post",
      },
    ],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: { enabled: true, getResourceServerInfo: resource },
    },
    jwks: { keys: await Promise.all(keys) },
    scopes: [SCOPE],
  });
  provider.listen(port, "127.0.0.1");
}

function api(port, from, audience) {
  const keys = createRemoteJWKSet(new URL(`${from}/jwks`));
  const server = createServer(async (request, response) => {
    const [status, answer] = await answered(request, keys, { issuer: from, audience, algorithms: ["RS256"] });
    const body = JSON.stringify(answer);
    response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
    response.end(body);
  });
  server.listen(port, "127.0.0.1");
}

async function answered(request, keys, demands) {
  const [, token] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? "") ?? [];
  if (!token) return [401, { error: "unauthorized" }];
  try {
    const { payload } = await jwtVerify(token, keys, demands);
    return [200, { message: `Hello, ${payload.sub ?? payload.client_id}: your access token is valid.` }];
  } catch {
    return [401, { error: "invalid_token" }];
  }
}

const [kind, port, ...rest] = process.argv.slice(2);
const servers = { issuer, api };
await servers[kind](Number(port), ...rest);
