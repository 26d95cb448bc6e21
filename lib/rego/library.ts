import type { Call } from "./_link.ts";
import type { Builtin } from "./builtins/_kit.ts";
import { CERTIFICATES } from "./builtins/certificates.ts";
import { COLLECTIONS } from "./builtins/collections.ts";
import { CRYPTO } from "./builtins/crypto.ts";
import { ENCODING } from "./builtins/encoding.ts";
import { JSON_PATHS } from "./builtins/json_paths.ts";
import { JWT } from "./builtins/jwt.ts";
import { NAMES } from "./builtins/names.ts";
import { NETWORK } from "./builtins/network.ts";
import { NUMBERS } from "./builtins/numbers.ts";
import { OBJECTS } from "./builtins/objects.ts";
import { PATTERNS } from "./builtins/patterns.ts";
import { SCHEMA } from "./builtins/schema.ts";
import { STRINGS } from "./builtins/strings.ts";
import { TIME } from "./builtins/time.ts";
import { TYPES } from "./builtins/types.ts";
import { UNITS } from "./builtins/units.ts";
import { VERSIONS } from "./builtins/versions.ts";
import type { Context } from "./context.ts";
import { BuiltinError, RegoError, type RegoPlace } from "./errors.ts";
import type { LibraryCode } from "./interpreter.ts";
import { toPlain } from "./text.ts";
import { isArray, type RegoValue, toRego } from "./values.ts";

const FAMILIES = [
  NUMBERS,
  COLLECTIONS,
  TYPES,
  STRINGS,
  OBJECTS,
  JSON_PATHS,
  ENCODING,
  PATTERNS,
  UNITS,
  VERSIONS,
  NAMES,
  NETWORK,
  TIME,
  CRYPTO,
  JWT,
  CERTIFICATES,
  SCHEMA,
];
const BUILTINS: ReadonlyMap<string, Builtin> = new Map(FAMILIES.flatMap((family) => Object.entries(family)));

/** The built-in function of a name. */
export function findBuiltin(name: string): Builtin | undefined {
  return BUILTINS.get(name);
}

/** Names of all built-in functions, in order. */
export function builtinNames(): string[] {
  return [...BUILTINS.keys()].filter((name) => !name.startsWith("internal.")).sort();
}

/** Code of built-in and caller's functions, with mocks, limits and error rules around it. */
export const LIBRARY: LibraryCode = {
  code(callee, at): Call {
    const { name } = callee;
    const run = callee.k === "custom" ? customCode(name) : builtinCode(name);
    return (c, args) => {
      const mock = c.mocks?.get(name);
      if (mock !== undefined) return "call" in mock ? mock.call(c, args) : mock.value;
      c.meter.tick();
      try {
        const value = run(args, c);
        account(c, value);
        return value;
      } catch (error) {
        return failed(c, name, at, error);
      }
    };
  },
  relation(name, at) {
    const relation = findBuiltin(name)?.relation;
    return (c, args, each) => {
      const mock = c.mocks?.get(name);
      if (mock !== undefined) {
        const value = "call" in mock ? mock.call(c, args) : mock.value;
        return value !== undefined && each(value);
      }
      if (relation === undefined) throw RegoError.at("eval_internal_error", `${name} is no relation`, at);
      return relation(c, args, each);
    };
  },
};

function builtinCode(name: string): Builtin["code"] {
  const code = findBuiltin(name)?.code;
  if (code === undefined) throw new RangeError(`Cannot link the function ${name}: it is not known`);
  return code;
}

function customCode(name: string): Builtin["code"] {
  return (args, c) => {
    const custom = c.functions.get(name);
    if (custom === undefined) throw new BuiltinError("the function has no implementation here");
    const value = custom.call(args.map(toPlain));
    return value === undefined ? undefined : toRego(value);
  };
}

function account(c: Context, value: RegoValue | undefined): void {
  if (typeof value === "string") c.meter.make(value.length);
  else if (isArray(value)) c.meter.make(value.length * 8);
  else if (typeof value === "bigint") c.meter.make(64);
}

function failed(c: Context, name: string, at: RegoPlace, error: unknown): undefined {
  if (error instanceof RegoError) {
    throw error.code === "eval_conflict_error" && error.row === 0 ? RegoError.at(error.code, error.detail, at) : error;
  }
  if (error instanceof RangeError && /stack/i.test(error.message)) throw error;
  if (!c.strict) return undefined;
  const code = error instanceof BuiltinError ? error.code : "eval_builtin_error";
  const text = error instanceof Error ? error.message : String(error);
  throw RegoError.at(code, text.startsWith(`${name}:`) ? text : `${name}: ${text}`, at, { cause: error });
}
