// Published Node clients, unmodified, against the house that ../with-house.mjs started.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import tls from "node:tls";

import { check, secret, totals } from "../../quickstart/check.mjs";
import { checkApis } from "./apis.mjs";
import { checkAssertions } from "./assertions.mjs";
import { checkAuth0 } from "./auth0.mjs";
import { checkManagement } from "./management.mjs";
import { checkOpenid } from "./openid.mjs";
import { checkProfile } from "./profile.mjs";
import { checkResources } from "./resources.mjs";

const house = JSON.parse(readFileSync(process.env.TOKENHOUSE_HOUSE, "utf8"));
for (const { client_secret } of Object.values(house.applications)) secret(client_secret);

if (house.https) await checkTrust(house);
for (const part of [checkAuth0, checkOpenid, checkAssertions, checkApis, checkProfile, checkResources, checkManagement]) {
  // What a part needs before its checks, a token say, may fail as well: that is one failure, and not the others' end.
  await part(house).catch((error) => check(part.name, () => Promise.reject(error)));
}
process.exit(totals());

/** Every check after this one rests on the CA: a client that was not given it must not get through. */
async function checkTrust({ issuer }) {
  await check("node: without the CA the certificate is not trusted, with it it is", async () => {
    const { hostname: host, port } = new URL(issuer);
    const connect = (options) =>
      new Promise((resolve) => {
        const socket = tls.connect({ host, port, servername: host, timeout: 15_000, ...options });
        const answer = (value) => resolve(value) ?? socket.destroy();
        socket.once("secureConnect", () => answer("trusted"));
        socket.once("error", ({ code }) => answer(code));
        socket.once("timeout", () => answer("no answer"));
      });
    assert.match(await connect({ ca: tls.rootCertificates }), /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/);
    assert.equal(await connect({}), "trusted");
  });
}
