// A tiny API: `GET /messages` wants an access token with the scope `read:messages`.

import http from "node:http";

import { createRemoteJWKSet, errors, jwtVerify } from "jose";

/** An HTTP server that accepts the tokens of one issuer for one audience. */
export function api(issuer, audience) {
  const keys = createRemoteJWKSet(new URL(".well-known/jwks.json", issuer));
  const verified = { issuer, audience, algorithms: ["RS256"], requiredClaims: ["exp"], clockTolerance: 5 };

  async function answer(request) {
    if (request.url !== "/messages") return { status: 404 };
    const [, token] = /^Bearer +([\w.~+/-]+=*)$/i.exec(request.headers.authorization ?? "") ?? [];
    if (!token) return { status: 401, challenge: "Bearer" };
    let claims;
    try {
      claims = (await jwtVerify(token, keys, verified)).payload;
    } catch (error) {
      // Without keys nothing is known of the token: 401 would make its owner throw it away.
      return isTheTokensFault(error) ? { status: 401, challenge: 'Bearer error="invalid_token"' } : { status: 503 };
    }
    // Bound to its owner's key or certificate, which nothing here checks.
    if (claims.cnf) return { status: 401, challenge: 'Bearer error="invalid_token"' };
    if (!String(claims.scope ?? "").split(" ").includes("read:messages")) {
      return { status: 403, challenge: 'Bearer error="insufficient_scope", scope="read:messages"' };
    }
    return { status: 200, body: ["hello"] };
  }

  return http.createServer(async (request, response) => {
    const { status, challenge, body = { status } } = await answer(request);
    if (challenge) response.setHeader("www-authenticate", challenge);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
}

function isTheTokensFault(error) {
  return /^ERR_(JWT|JWS|JOSE_ALG|JOSE_NOT_SUPPORTED|JWKS_NO_MATCHING_KEY)/.test(error?.code ?? "");
}
