// What a refusal must look like to the program that called the client.

import assert from "node:assert/strict";

/** The promise is rejected with an error of this class and with these members; `a.b` reads into it. */
export async function refused(promise, kind, members) {
  const error = await promise.then(
    () => assert.fail("it was not refused"),
    (error) => error,
  );
  assert.ok(error instanceof kind, `${error?.name}: ${error?.message}, not a ${kind.name}`);
  for (const [name, wanted] of Object.entries(members)) {
    const found = name.split(".").reduce((value, part) => value?.[part], error);
    if (wanted instanceof RegExp) assert.match(String(found), wanted, name);
    else assert.equal(found, wanted, name);
  }
}
