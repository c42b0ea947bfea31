// Bodies with one thing wrong each, made from a JSON Schema as the document prints them.

/** A value of each type of JSON. */
const OF_TYPE = { null: null, boolean: true, integer: 7, number: 1.5, string: "no", array: [], object: {} };
/** Texts of which each pattern takes one, and texts of which each refuses some. */
const INSTANT = "2030-01-01T00:00:00.000Z";
const GOOD = ["https://x.example/", "somebody@x.example", INSTANT];
const BAD = ["no id!", "<b>", " ", "not a url", "zzz", "//host/path", "https:", "https://", "http://x.example", "javascript", "a:b c"];
const BAD_ADDRESSES = ["nobody", "@host", "a b@host", "a@b@ c"];
/** A date alone is taken for its midnight. */
const BAD_DATES = ["", "yesterday", "2030-13-01", "2030-02-30T00:00:00.000Z", "2030-01-01T25:00:00.000Z"];
/** A text that is as long as a body may be is refused for the body. */
const LONG = 100_000;

/**
 * `{ value, at, says }` for each: `at` is the path of the property that the refusal must name, empty for the whole;
 * `says` is what else the refusal must say.
 */
export function wrongValues(schema) {
  const types = [schema.type ?? []].flat();
  const values = types.length === 0 ? [] : wrongTypes(types);
  if (schema.enum) return [...values, wrong("no such word", "No enum match for")];
  if (types.includes("string")) values.push(...wrongTexts(schema));
  if (types.includes("integer") || types.includes("number")) values.push(...wrongNumbers(schema));
  if (types.includes("array")) values.push(...wrongLists(schema));
  if (types.includes("object")) values.push(...wrongObjects(schema));
  return values;
}

/** A value that the schema takes, as small as may be. */
export function rightValue(schema) {
  const [type] = [schema.type ?? "object"].flat();
  if (schema.enum) return schema.enum[0];
  switch (type) {
    case "string":
      return ["x".repeat(Math.max(schema.minLength, 1)), ...GOOD].find((text) => takes(schema, text));
    case "integer":
    case "number":
      return schema.minimum;
    case "array":
      return Array.from({ length: schema.minItems }, () => rightValue(schema.items));
    case "object":
      return Object.fromEntries((schema.required ?? []).map((name) => [name, rightValue(schema.properties[name])]));
    default:
      return OF_TYPE[type];
  }
}

function wrongTypes(types) {
  const taken = types.includes("number") ? [...types, "integer"] : types;
  const others = Object.keys(OF_TYPE).filter((type) => !taken.includes(type));
  return others.map((type) => wrong(OF_TYPE[type], "Expected type"));
}

function wrongTexts({ minLength = 0, maxLength, ...form }) {
  const values = [wrong("nul\0", "U+0000")];
  if (minLength > 0) values.push(wrong("x".repeat(minLength - 1), "String is too short"));
  if (maxLength < LONG) values.push(wrong("x".repeat(maxLength + 1), "String is too long"));
  const bad = form.format === "date-time" ? BAD_DATES : [...BAD, ...BAD_ADDRESSES];
  const refused = bad.filter((text) => text.length >= minLength && text.length <= maxLength && !takes(form, text));
  return [...values, ...refused.map((text) => wrong(text, "Object didn't pass validation for format"))];
}

function wrongNumbers({ minimum, maximum }) {
  const values = [];
  if (minimum !== undefined) values.push(wrong(minimum - 1, "is less than minimum"));
  if (maximum !== undefined) values.push(wrong(maximum + 1, "is greater than maximum"));
  return values;
}

function wrongLists({ items, minItems, maxItems, uniqueItems }) {
  const right = rightValue(items);
  const others = Array.from({ length: Math.max(minItems - 1, 0) }, () => right);
  const values = wrongValues(items).map((item) => inside("0", item, (value) => [value, ...others]));
  values.push(wrong(Array(maxItems + 1).fill(right), "Array is too long"));
  if (minItems > 0) values.push(wrong(Array(minItems - 1).fill(right), "Array is too short"));
  if (uniqueItems) values.push(wrong([right, right], "Array items are not unique"));
  return values;
}

function wrongObjects({ properties = {}, required = [], additionalProperties, maxProperties, ...schema }) {
  const whole = rightValue({ properties, required, type: "object", ...schema });
  const values = [];
  for (const name of required) {
    const { [name]: _, ...without } = whole;
    values.push(wrong(without, `Missing required property: ${name}`));
  }
  for (const [name, property] of Object.entries(properties)) {
    // What is ours to write is refused as if it had no name.
    if (property.not) values.push(unknown(whole, name));
    else values.push(...wrongValues(property).map((value) => inside(name, value, (value) => ({ ...whole, [name]: value }))));
  }
  if (additionalProperties === false) values.push(unknown(whole, "no_such_property"));
  if (additionalProperties?.type) values.push(...wrongValues(additionalProperties).map((value) => inside("a", value, (a) => ({ a }))));
  if (maxProperties !== undefined) {
    const names = Array.from({ length: maxProperties + 1 }, (_, n) => [`${n}`, "x"]);
    values.push(wrong(Object.fromEntries(names), "Too many properties defined"));
  }
  return values;
}

/** A member that may not be there. */
export function unknown(whole, name) {
  return wrong({ ...whole, [name]: "x" }, `Additional properties not allowed: ${name}`);
}

function wrong(value, says) {
  return { value, at: [], says };
}

function inside(name, { value, at, says }, around) {
  return { value: around(value), at: [name, ...at], says };
}

function takes({ pattern, format }, text) {
  if (format === "date-time") return text === INSTANT;
  return pattern === undefined || new RegExp(pattern, "u").test(text);
}
