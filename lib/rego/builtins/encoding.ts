import { parse, stringify } from "yaml";
import { BuiltinError } from "../errors.ts";
import { parseJson } from "../json.ts";
import { jsonText, keyText, toPlain } from "../text.ts";
import { isArray, RegoObject, RegoSet, type RegoValue, toRego, typeName } from "../values.ts";
import { type Args, any, attempt, bad, type Family, fn, obj, operandError, str } from "./_kit.ts";

const UTF8 = new TextDecoder("utf-8");

/** Bytes of base64 text, in either alphabet; undefined when it is not valid. */
export function base64Bytes(text: string, url: boolean, padded: boolean | undefined): Uint8Array | undefined {
  const clean = text.replace(/[\r\n]/g, "");
  const body = clean.replace(/={1,2}$/, "");
  const alphabet = url ? /^[A-Za-z0-9_-]*$/ : /^[A-Za-z0-9+/]*$/;
  if (!alphabet.test(body) || body.length % 4 === 1) return undefined;
  if (padded === true && clean.length % 4 !== 0) return undefined;
  return Buffer.from(body, url ? "base64url" : "base64");
}

function decoded(args: Args, url: boolean, padded: boolean | undefined): string {
  const text = str(args, 0);
  const bytes = base64Bytes(text, url, padded);
  if (bytes === undefined) throw bad(`illegal base64 data at input byte ${firstWrong(text, url)}`);
  return UTF8.decode(bytes);
}

/** Offset of the first character that cannot be, or of the last group when that is incomplete. */
function firstWrong(text: string, url: boolean): number {
  const wrong = (url ? /[^A-Za-z0-9_-]/ : /[^A-Za-z0-9+/]/).exec(text);
  return wrong === null ? text.length - (text.length % 4) : wrong.index;
}

function padded64Url(text: string): string {
  return Buffer.from(text).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

function hexDecoded(args: Args): string {
  const text = str(args, 0);
  const wrong = /[^0-9a-fA-F]/u.exec(text)?.[0];
  if (wrong !== undefined) {
    const code = (wrong.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    throw bad(`encoding/hex: invalid byte: U+${code} '${wrong}'`);
  }
  if (text.length % 2 === 1) throw bad("encoding/hex: odd length hex string");
  return UTF8.decode(Buffer.from(text, "hex"));
}

/** A text as part of a query string. */
function queryEscape(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
}

function queryUnescape(text: string): string {
  const wrong = /%(?![0-9a-fA-F]{2})/.exec(text);
  if (wrong !== null) throw bad(`invalid URL escape ${JSON.stringify(text.slice(wrong.index, wrong.index + 3))}`);
  const spaced = text.replaceAll("+", " ");
  if (!spaced.includes("%")) return spaced;
  const bytes = spaced.split(/(%[0-9a-fA-F]{2})/).map((part) => {
    return part.startsWith("%") ? Buffer.of(Number.parseInt(part.slice(1), 16)) : Buffer.from(part);
  });
  return UTF8.decode(Buffer.concat(bytes));
}

function encodeObject(args: Args): string {
  const parts: string[] = [];
  for (const [key, value] of obj(args, 0).entries()) {
    if (typeof key !== "string") throw operandError(0, "object with string keys", typeName(key));
    const values =
      typeof value === "string"
        ? [value]
        : isArray(value)
          ? value
          : value instanceof RegoSet
            ? value.values()
            : [value];
    for (const item of values) {
      if (typeof item !== "string") throw operandError(0, "object of strings", typeName(item));
      parts.push(`${queryEscape(key)}=${queryEscape(item)}`);
    }
  }
  return parts.join("&");
}

function decodeObject(args: Args): RegoValue {
  const out = new RegoObject();
  for (const pair of str(args, 0).split("&")) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    const key = queryUnescape(at < 0 ? pair : pair.slice(0, at));
    const before = out.get(key);
    out.set(key, [...(isArray(before) ? before : []), queryUnescape(at < 0 ? "" : pair.slice(at + 1))]);
  }
  return out;
}

function readJson(text: string): RegoValue {
  try {
    return parseJson(text);
  } catch (error) {
    throw bad(error instanceof Error ? error.message : String(error));
  }
}

function marshalWithOptions(args: Args): string {
  const options = obj(args, 1);
  const field = (name: string) => options.get(name);
  for (const key of options.keys()) {
    if (!["pretty", "indent", "prefix"].includes(keyText(key))) {
      const name = JSON.stringify(keyText(key));
      throw new BuiltinError(`operand 2 object contained unknown key ${name}`, "eval_type_error");
    }
  }
  const [indent, prefix, pretty] = [field("indent"), field("prefix"), field("pretty")];
  if (pretty !== undefined && typeof pretty !== "boolean")
    throw operandError(1, "object with boolean pretty", typeName(pretty));
  if (pretty === false || (pretty === undefined && indent === undefined && prefix === undefined))
    return jsonText(any(args, 0));
  return jsonText(any(args, 0), {
    indent: typeof indent === "string" ? indent : "\t",
    prefix: typeof prefix === "string" ? prefix : "",
  });
}

const MAX_YAML = 1 << 20;

function readYaml(text: string): RegoValue {
  if (text.length > MAX_YAML) throw bad("yaml: the text is too long");
  try {
    return toRego(parse(text, { intAsBigInt: true, maxAliasCount: 100 }) as unknown);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const line = /at line (\d+)/.exec(message)?.[1] ?? "1";
    throw bad(`yaml: line ${line}: did not find expected node content: ${message.split("\n")[0]}`);
  }
}

function isValid(check: (text: string) => unknown): (args: Args) => boolean {
  return (args) => {
    const text = any(args, 0);
    return typeof text === "string" && attempt(() => check(text) ?? true) !== undefined;
  };
}

/** JSON, YAML, base64, hex and query strings. */
export const ENCODING: Family = {
  "json.marshal": fn(1, (a) => jsonText(any(a, 0))),
  "json.marshal_with_options": fn(2, marshalWithOptions),
  "json.unmarshal": fn(1, (a) => readJson(str(a, 0))),
  "json.is_valid": fn(1, isValid(readJson)),
  "yaml.marshal": fn(1, (a) => stringify(toPlain(any(a, 0)), { indentSeq: false, lineWidth: 0 })),
  "yaml.unmarshal": fn(1, (a) => readYaml(str(a, 0))),
  "yaml.is_valid": fn(1, isValid(readYaml)),
  "base64.encode": fn(1, (a) => Buffer.from(str(a, 0)).toString("base64")),
  "base64.decode": fn(1, (a) => decoded(a, false, true)),
  "base64.is_valid": fn(1, (a) => base64Bytes(str(a, 0), false, true) !== undefined),
  "base64url.encode": fn(1, (a) => padded64Url(str(a, 0))),
  "base64url.encode_no_pad": fn(1, (a) => Buffer.from(str(a, 0)).toString("base64url")),
  "base64url.decode": fn(1, (a) => decoded(a, true, undefined)),
  "hex.encode": fn(1, (a) => Buffer.from(str(a, 0)).toString("hex")),
  "hex.decode": fn(1, hexDecoded),
  "urlquery.encode": fn(1, (a) => queryEscape(str(a, 0))),
  "urlquery.decode": fn(1, (a) => queryUnescape(str(a, 0))),
  "urlquery.encode_object": fn(1, encodeObject),
  "urlquery.decode_object": fn(1, decodeObject),
};
