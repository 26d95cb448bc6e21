import { errorText, isObject, isStringList, type JsonObject } from "../std/mod.ts";
import {
  type AgentDdl,
  agentDdlSchema,
  type DdlAction,
  type DdlAggregate,
  type DdlInput,
  type DdlMetadata,
  type DdlOutput,
  type DisplayMode,
  type ValueType,
} from "./ddl.ts";

/** An agent DDL that does not have the form it must have. */
export class DdlError extends Error {
  override readonly name = "DdlError";
}

/**
 * Read an agent DDL from JSON text.
 *
 * @param place Names the document in errors, for example a path.
 * @throws {DdlError} naming the document and the part that is missing or of another form.
 */
export function parseDdl(text: string, place: string): AgentDdl {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DdlError(`Cannot read the DDL ${place}: ${errorText(error)}`, { cause: error });
  }
  return decodeDdl(value, place);
}

/** Like {@link parseDdl}, from a value. */
export function decodeDdl(value: unknown, place: string): AgentDdl {
  const reader = new Reader(place);
  const document = reader.object(value, "");
  const schema = document.$schema;
  if (schema !== undefined && schema !== agentDdlSchema) throw reader.bad("/$schema", `expected "${agentDdlSchema}"`);
  const metadata = decodeMetadata(reader, document.metadata);
  const actions = reader.list(document.actions, "/actions").map((action, i) => decodeAction(reader, action, i));
  return { metadata, actions };
}

function decodeMetadata(reader: Reader, value: unknown): DdlMetadata {
  const at = "/metadata";
  const from = reader.object(value, at);
  const name = reader.text(from, "name", at);
  if (!/^[a-z0-9_]+$/.test(name)) {
    throw reader.bad(`${at}/name`, "expected lower-case letters, digits and underscores");
  }
  const { timeout = 0 } = from;
  if (typeof timeout !== "number" || !(timeout >= 0)) throw reader.bad(`${at}/timeout`, "expected seconds");
  const provider = reader.optionalText(from, "provider", at);
  const service = reader.flag(from, "service", at);
  return {
    name,
    description: reader.optionalText(from, "description", at) ?? "",
    author: reader.optionalText(from, "author", at) ?? "",
    license: reader.optionalText(from, "license", at) ?? "",
    version: reader.optionalText(from, "version", at) ?? "",
    url: reader.optionalText(from, "url", at) ?? "",
    timeout,
    ...(provider ? { provider } : {}),
    ...(service ? { service } : {}),
  };
}

function decodeAction(reader: Reader, value: unknown, index: number): DdlAction {
  const at = `/actions/${index}`;
  const from = reader.object(value, at);
  return {
    name: reader.text(from, "action", at),
    description: reader.optionalText(from, "description", at) ?? "",
    display: decodeDisplay(reader, from.display, at),
    input: mapObject(reader, from.input, `${at}/input`, decodeInput),
    output: mapObject(reader, from.output, `${at}/output`, decodeOutput),
    aggregate: decodeAggregates(from.aggregate),
  };
}

function decodeDisplay(reader: Reader, value: unknown, at: string): DisplayMode {
  if (value === undefined || value === "" || value === "failed") return "failed";
  if (value === "ok" || value === "always") return value;
  throw reader.bad(`${at}/display`, "expected ok, failed or always");
}

function decodeInput(reader: Reader, from: JsonObject, at: string): DdlInput {
  const validation = reader.optionalText(from, "validation", at);
  const { maxlength, list } = from;
  if (maxlength !== undefined && typeof maxlength !== "number")
    throw reader.bad(`${at}/maxlength`, "expected a number");
  if (list !== undefined && list !== null && !isStringList(list)) throw reader.bad(`${at}/list`, "expected strings");
  return {
    prompt: reader.optionalText(from, "prompt", at) ?? "",
    description: reader.optionalText(from, "description", at) ?? "",
    type: decodeType(reader, from, at),
    optional: reader.flag(from, "optional", at),
    ...(from.default === undefined || from.default === null ? {} : { default: from.default }),
    ...(validation ? { validation } : {}),
    ...(maxlength ? { maxlength } : {}),
    ...(list ? { list } : {}),
  };
}

function decodeOutput(reader: Reader, from: JsonObject, at: string): DdlOutput {
  const name = at.slice(at.lastIndexOf("/") + 1);
  const type = decodeType(reader, from, at);
  return {
    description: reader.optionalText(from, "description", at) ?? "",
    display_as: reader.optionalText(from, "display_as", at) || name,
    ...(type === "" ? {} : { type }),
    ...(from.default === undefined || from.default === null ? {} : { default: from.default }),
  };
}

const spellings: Readonly<Record<string, ValueType>> = {
  string: "string",
  integer: "integer",
  int: "integer",
  float: "float",
  number: "number",
  boolean: "boolean",
  list: "list",
  hash: "hash",
  Hash: "hash",
  array: "array",
  Array: "array",
  "": "",
};

function decodeType(reader: Reader, from: JsonObject, at: string): ValueType {
  const text = reader.optionalText(from, "type", at) ?? "";
  const type = Object.hasOwn(spellings, text) ? spellings[text] : undefined;
  if (type === undefined) throw reader.bad(`${at}/type`, `unsupported type '${text}'`);
  return type;
}

/** Aggregates of another form are passed over, as clients ever did. */
function decodeAggregates(value: unknown): DdlAggregate[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item) => {
    if (!isObject(item) || typeof item.function !== "string" || !Array.isArray(item.args)) return [];
    const [output, options] = item.args as unknown[];
    if (typeof output !== "string") return [];
    return [{ function: item.function, output, options: isObject(options) ? options : {} }];
  });
}

function mapObject<T>(
  reader: Reader,
  value: unknown,
  at: string,
  decode: (reader: Reader, from: JsonObject, at: string) => T,
): Record<string, T> {
  if (value === undefined || value === null) return {};
  const entries = Object.entries(reader.object(value, at)).map(([key, item]): [string, T] => {
    const place = `${at}/${key}`;
    return [key, decode(reader, reader.object(item, place), place)];
  });
  return Object.fromEntries(entries);
}

/** Reads parts of a document, naming it and the part in errors. */
class Reader {
  readonly #place: string;

  constructor(place: string) {
    this.#place = place;
  }

  bad(at: string, reason: string): DdlError {
    return new DdlError(`Cannot use the DDL ${this.#place}: ${at === "" ? "" : `${at}: `}${reason}`);
  }

  object(value: unknown, at: string): JsonObject {
    if (!isObject(value)) throw this.bad(at, "expected an object");
    return value;
  }

  list(value: unknown, at: string): unknown[] {
    if (!Array.isArray(value)) throw this.bad(at, "expected an array");
    return value;
  }

  text(from: JsonObject, key: string, at: string): string {
    const value = from[key];
    if (typeof value !== "string" || value === "") throw this.bad(`${at}/${key}`, "expected a text");
    return value;
  }

  optionalText(from: JsonObject, key: string, at: string): string | undefined {
    const value = from[key] ?? undefined;
    if (value === undefined || typeof value === "string") return value;
    throw this.bad(`${at}/${key}`, "expected a text");
  }

  flag(from: JsonObject, key: string, at: string): boolean {
    const value = from[key] ?? false;
    if (typeof value === "boolean") return value;
    throw this.bad(`${at}/${key}`, "expected true or false");
  }
}
