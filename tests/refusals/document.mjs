// What the document says: the operations, and those things of the house that their paths can name.

import assert from "node:assert/strict";

import { ask, expect, forEach } from "./asking.mjs";

/** What changes by itself, or with every request that is refused. */
const MOVING = /^\/(logs|stats|jobs)|\/(logs|export)$/;
/** An id that nothing has. */
const NOBODY = "x";

/**
 * Every operation: `name` as in `POST /clients`, `scopes` any one of which opens it, `schema` of its JSON body if it takes
 * one, and `url(ids)`, where each `{…}` is the id of a thing that is there, or of nothing where none was given.
 */
export async function operations(api) {
  const document = await expect(200, "GET", `${api}openapi.json`);
  const all = [];
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      all.push({
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path,
        scopes: operation["x-required-scopes"],
        isAbsent: operation["x-absent"] === true,
        schema: operation.requestBody?.content["application/json"].schema,
        // What a new thing has and a change may not name was chosen once.
        fixed: method === "patch" ? fixed(document, path, operation) : [],
        wantsQuery: operation.parameters.some(({ in: where, required }) => where === "query" && required),
        url: (ids = {}) => api + path.slice(1).replaceAll(/\{(\w+)\}/g, (_, name) => encodeURIComponent(idFor(ids, path, name))),
      });
    }
  }
  assert.ok(all.length > 100, `the document has ${all.length} operations`);
  return all;
}

/** The id of a thing of every kind, by what stands before it in a path; what there is none of is made. */
export async function idsOfThings(api, token, { signers, strict }) {
  const list = (path) => expect(200, "GET", api + path, { token });
  await expect(200, "POST", `${api}roles`, { token, json: { name: "Refused" } });
  const { client_id } = signers.RS256;
  const [[grant], [connection], [role], [user], [key]] = await Promise.all(
    ["client-grants", "connections", "roles", "users", "keys/signing"].map(list),
  );
  const [credential] = await list(`clients/${client_id}/credentials`);
  const { id } = await list(`resource-servers/${encodeURIComponent(strict)}`);
  return {
    "/clients/": client_id,
    "/credentials/": credential.id,
    "/client-grants/": grant.id,
    "/connections/": connection.id,
    "/resource-servers/": id,
    "/roles/": role.id,
    "/users/": user.user_id,
    "/user-blocks/": user.user_id,
    "/keys/signing/": key.kid,
  };
}

/** What the house holds: the answer of every GET that does not change by itself, and how many writes the log has. */
export async function state(all, ids, token) {
  const held = new Map();
  const reads = all.filter(({ method, path, isAbsent, wantsQuery }) => method === "GET" && !isAbsent && !wantsQuery && !MOVING.test(path));
  await forEach(reads, async (operation) => {
    const { status, text } = await ask("GET", operation.url(ids), { token });
    if (status === 200) held.set(operation.name, text);
  });
  const logs = all.find(({ name }) => name === "GET /logs");
  const { total } = await expect(200, "GET", `${logs.url()}?q=type:sapi&include_totals=true`, { token });
  assert.ok(held.size > 20, `${held.size} things can be read`);
  return held.set("writes in the log", total);
}

/** Refuses a house in which something changed. */
export function same(before, after) {
  const changed = [...before.keys(), ...after.keys()].filter((name) => before.get(name) !== after.get(name));
  assert.deepEqual([...new Set(changed)], []);
}

function idFor(ids, path, name) {
  const before = path.slice(0, path.indexOf(`{${name}}`));
  const kind = Object.keys(ids).find((kind) => before.endsWith(kind));
  return kind ? ids[kind] : NOBODY;
}

function fixed(document, path, operation) {
  const shape = ({ requestBody }) => requestBody.content["application/json"].schema;
  const create = document.paths[path.replace(/\/\{\w+\}$/, "")]?.post;
  if (!create?.requestBody || shape(operation).additionalProperties) return [];
  return Object.keys(shape(create).properties).filter((name) => !(name in shape(operation).properties));
}
