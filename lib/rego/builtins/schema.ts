import { compileRe2 } from "../../re2/mod.ts";
import { isInteger } from "../_scalars.ts";
import { parseJson } from "../json.ts";
import { equalValues, isArray, RegoObject, type RegoValue, toRego, typeName } from "../values.ts";
import { type Args, any, attempt, bad, type Family, fn, operandError } from "./_kit.ts";

const TYPES = ["array", "boolean", "integer", "number", "null", "object", "string"];
const MAX_DEPTH = 100;

interface Problem {
  readonly type: string;
  readonly desc: string;
  readonly field: string;
}

function document(args: Args, i: number): RegoValue {
  const value = any(args, i);
  if (value instanceof RegoObject) return value;
  if (typeof value !== "string") throw operandError(i, "one of {string, object}", typeName(value));
  const parsed = attempt(() => parseJson(value));
  if (parsed === undefined) throw bad("invalid JSON string");
  return parsed;
}

/** What is wrong with a schema itself, undefined when nothing is. */
function schemaProblem(schema: RegoValue, depth = 0): string | undefined {
  if (depth > MAX_DEPTH) return "schema is nested too deep";
  if (typeof schema === "boolean") return undefined;
  if (!(schema instanceof RegoObject)) return "schema is invalid";
  const type = schema.get("type");
  for (const name of type === undefined ? [] : isArray(type) ? type : [type]) {
    if (typeof name !== "string" || !TYPES.includes(name)) {
      return `has a primitive type that is NOT VALID -- given: /${String(name)}/ Expected valid values are:[${TYPES.join(" ")}]`;
    }
  }
  return subschemas(schema)
    .map((each) => schemaProblem(each, depth + 1))
    .find((problem) => problem !== undefined);
}

function subschemas(schema: RegoObject): RegoValue[] {
  const out: RegoValue[] = [];
  for (const key of ["properties", "patternProperties", "definitions", "$defs"]) {
    const value = schema.get(key);
    if (value instanceof RegoObject) out.push(...value.entries().map(([, each]) => each));
  }
  for (const key of [
    "items",
    "additionalProperties",
    "not",
    "contains",
    "allOf",
    "anyOf",
    "oneOf",
    "if",
    "then",
    "else",
  ]) {
    const value = schema.get(key);
    if (value !== undefined) out.push(...(isArray(value) ? value : [value]));
  }
  return out;
}

/** Checks one document against one schema. */
class Validator {
  readonly #root: RegoValue;
  readonly problems: Problem[] = [];

  constructor(root: RegoValue) {
    this.#root = root;
  }

  #add(type: string, desc: string, field: string): void {
    this.problems.push({ type, desc, field: field === "" ? "(root)" : field });
  }

  /** Whether a value fits a schema, without noting what does not. */
  #fits(value: RegoValue, schema: RegoValue, depth: number): boolean {
    const inner = new Validator(this.#root);
    inner.check(value, schema, "", depth);
    return inner.problems.length === 0;
  }

  check(value: RegoValue, schema: RegoValue, field: string, depth = 0): void {
    if (depth > MAX_DEPTH) throw bad("schema is nested too deep");
    if (schema === false) this.#add("false", "False always fails validation", field);
    if (!(schema instanceof RegoObject)) return;
    const ref = schema.get("$ref");
    if (typeof ref === "string") this.check(value, this.#resolve(ref), field, depth + 1);
    this.#type(value, schema, field);
    this.#constants(value, schema, field);
    if (typeof value === "string") this.#string(value, schema, field);
    if (typeof value === "number" || typeof value === "bigint") this.#number(value, schema, field);
    if (isArray(value)) this.#array(value, schema, field, depth);
    if (value instanceof RegoObject) this.#object(value, schema, field, depth);
    this.#combined(value, schema, field, depth);
  }

  #resolve(ref: string): RegoValue {
    if (!ref.startsWith("#")) throw bad("remote reference loading disabled");
    let node: RegoValue | undefined = this.#root;
    for (const step of ref
      .slice(1)
      .split("/")
      .filter((each) => each !== "")) {
      const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
      node = node instanceof RegoObject ? node.get(name) : isArray(node) ? node[Number(name)] : undefined;
    }
    if (node === undefined) throw bad(`object has no key ${JSON.stringify(ref)}`);
    return node;
  }

  #type(value: RegoValue, schema: RegoObject, field: string): void {
    const type = schema.get("type");
    if (type === undefined) return;
    const names = isArray(type) ? type : [type];
    if (names.some((name) => isOfType(value, name))) return;
    this.#add("invalid_type", `Invalid type. Expected: ${names.join(",")}, given: ${jsonType(value)}`, field);
  }

  #constants(value: RegoValue, schema: RegoObject, field: string): void {
    const [list, constant] = [schema.get("enum"), schema.get("const")];
    if (isArray(list) && !list.some((each) => equalValues(each, value))) {
      this.#add(
        "enum",
        `${field || "(root)"} must be one of the following: ${list.map((each) => JSON.stringify(each)).join(", ")}`,
        field,
      );
    }
    if (constant !== undefined && !equalValues(constant, value))
      this.#add("const", `${field || "(root)"} does not match`, field);
  }

  #limit(
    schema: RegoObject,
    key: string,
    value: number,
    low: boolean,
    type: string,
    text: string,
    field: string,
  ): void {
    const limit = schema.get(key);
    if (typeof limit === "number" && (low ? value < limit : value > limit)) this.#add(type, `${text} ${limit}`, field);
  }

  #string(value: string, schema: RegoObject, field: string): void {
    const length = [...value].length;
    this.#limit(
      schema,
      "minLength",
      length,
      true,
      "string_gte",
      "String length must be greater than or equal to",
      field,
    );
    this.#limit(schema, "maxLength", length, false, "string_lte", "String length must be less than or equal to", field);
    const pattern = schema.get("pattern");
    if (typeof pattern === "string" && !compileRe2(pattern).test(value))
      this.#add("pattern", `Does not match pattern '${pattern}'`, field);
  }

  #number(value: number | bigint, schema: RegoObject, field: string): void {
    const n = Number(value);
    this.#limit(schema, "minimum", n, true, "number_gte", "Must be greater than or equal to", field);
    this.#limit(schema, "maximum", n, false, "number_lte", "Must be less than or equal to", field);
    const [above, below, multiple] = [
      schema.get("exclusiveMinimum"),
      schema.get("exclusiveMaximum"),
      schema.get("multipleOf"),
    ];
    if (typeof above === "number" && n <= above) this.#add("number_gt", `Must be greater than ${above}`, field);
    if (typeof below === "number" && n >= below) this.#add("number_lt", `Must be less than ${below}`, field);
    if (typeof multiple === "number" && !Number.isInteger(n / multiple))
      this.#add("multiple_of", `Must be a multiple of ${multiple}`, field);
  }

  #array(value: readonly RegoValue[], schema: RegoObject, field: string, depth: number): void {
    this.#limit(
      schema,
      "minItems",
      value.length,
      true,
      "array_min_items",
      "Array must have at least this many items:",
      field,
    );
    this.#limit(
      schema,
      "maxItems",
      value.length,
      false,
      "array_max_items",
      "Array must have at most this many items:",
      field,
    );
    const items = schema.get("items");
    for (const [i, item] of value.entries()) {
      const own = isArray(items) ? items[i] : items;
      if (own !== undefined) this.check(item, own, join(field, String(i)), depth + 1);
    }
    if (
      schema.get("uniqueItems") === true &&
      value.some((item, i) => value.slice(0, i).some((other) => equalValues(item, other)))
    ) {
      this.#add("unique", "array items must be unique", field);
    }
    const contains = schema.get("contains");
    if (contains !== undefined && !value.some((item) => this.#fits(item, contains, depth + 1))) {
      this.#add("contains", "At least one of the items must match", field);
    }
  }

  #object(value: RegoObject, schema: RegoObject, field: string, depth: number): void {
    const required = schema.get("required");
    for (const name of isArray(required) ? required : []) {
      if (value.get(name) === undefined) this.#add("required", `${String(name)} is required`, field);
    }
    this.#limit(
      schema,
      "minProperties",
      value.size,
      true,
      "array_min_properties",
      "Must have at least this many properties:",
      field,
    );
    this.#limit(
      schema,
      "maxProperties",
      value.size,
      false,
      "array_max_properties",
      "Must have at most this many properties:",
      field,
    );
    const [properties, patterns, rest] = [
      schema.get("properties"),
      schema.get("patternProperties"),
      schema.get("additionalProperties"),
    ];
    for (const [key, item] of value.entries()) {
      const own = properties instanceof RegoObject ? properties.get(key) : undefined;
      const matched =
        patterns instanceof RegoObject
          ? patterns.entries().filter(([p]) => compileRe2(String(p)).test(String(key)))
          : [];
      const found = [...(own === undefined ? [] : [own]), ...matched.map(([, each]) => each)];
      for (const each of found) this.check(item, each, join(field, String(key)), depth + 1);
      if (found.length > 0 || rest === undefined) continue;
      if (rest === false)
        this.#add("additional_property_not_allowed", `Additional property ${String(key)} is not allowed`, field);
      else this.check(item, rest, join(field, String(key)), depth + 1);
    }
  }

  #combined(value: RegoValue, schema: RegoObject, field: string, depth: number): void {
    const list = (key: string) => {
      const each = schema.get(key);
      return isArray(each) ? each : undefined;
    };
    const fitting = (schemas: readonly RegoValue[]) =>
      schemas.filter((each) => this.#fits(value, each, depth + 1)).length;
    for (const each of list("allOf") ?? []) this.check(value, each, field, depth + 1);
    const [anyOf, oneOf, not] = [list("anyOf"), list("oneOf"), schema.get("not")];
    if (anyOf !== undefined && fitting(anyOf) === 0)
      this.#add("number_any_of", "Must validate at least one schema (anyOf)", field);
    if (oneOf !== undefined && fitting(oneOf) !== 1)
      this.#add("number_one_of", "Must validate one and only one schema (oneOf)", field);
    if (not !== undefined && this.#fits(value, not, depth + 1))
      this.#add("number_not", "Must not validate the schema (not)", field);
    const condition = schema.get("if");
    if (condition === undefined) return;
    const branch = schema.get(this.#fits(value, condition, depth + 1) ? "then" : "else");
    if (branch !== undefined) this.check(value, branch, field, depth + 1);
  }
}

function join(field: string, step: string): string {
  return field === "" ? step : `${field}.${step}`;
}

function jsonType(value: RegoValue): string {
  return (typeof value === "number" || typeof value === "bigint") && isInteger(value) ? "integer" : typeName(value);
}

function isOfType(value: RegoValue, name: RegoValue): boolean {
  return jsonType(value) === name || (name === "number" && jsonType(value) === "integer");
}

function matchSchema(args: Args): RegoValue {
  const schema = document(args, 1);
  const problem = schemaProblem(schema);
  if (problem !== undefined) throw bad(problem);
  const validator = new Validator(schema);
  validator.check(document(args, 0), schema, "");
  const problems = validator.problems.map(({ type, desc, field }) => ({
    type,
    desc,
    field,
    error: `${field}: ${desc}`,
  }));
  return [problems.length === 0, toRego(problems)];
}

function verifySchema(args: Args): RegoValue {
  const schema = attempt(() => document(args, 0));
  if (schema === undefined) return [false, "jsonschema: invalid JSON"];
  const problem = schemaProblem(schema);
  return problem === undefined ? [true, null] : [false, `jsonschema: ${problem}`];
}

/** JSON schemas. */
export const SCHEMA: Family = {
  "json.match_schema": fn(2, matchSchema),
  "json.verify_schema": fn(1, verifySchema),
};
