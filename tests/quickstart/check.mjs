// Checks, one line each, and the secrets that no log may contain.

import { appendFileSync } from "node:fs";

const seen = new Set();
let passed = 0;
let failed = 0;

/** Runs one promise of the house: prints `ok` or `FAIL` with the reason, and counts. Returns what `body` returns. */
export async function check(name, body) {
  try {
    const value = await body();
    passed += 1;
    console.log(`ok    ${name}`);
    return value;
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}: ${redact(String(error?.message ?? error))}`);
    return undefined;
  }
}

/** Prints the totals, alone on the last line, and returns the exit code. */
export function totals() {
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

/** Remembers a secret, so that it is masked here and looked for in every log by `scripts/test`. */
export function secret(value) {
  if (typeof value !== "string" || value.length < 8 || seen.has(value)) return value;
  seen.add(value);
  const file = process.env.TOKENHOUSE_TEST_SECRETS;
  if (file) appendFileSync(file, `${value}\n`);
  return value;
}

/** The text with every known secret masked. */
export function redact(text) {
  let masked = text;
  for (const value of seen) masked = masked.replaceAll(value, "[secret]");
  return masked;
}
