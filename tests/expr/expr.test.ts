import { describe, expect, test } from "bun:test";
import { compileExpr, ExprDuration, ExprError, ExprMoment, type ExprOptions } from "../../lib/expr/mod.ts";
import { formatRfc3339 } from "../../lib/std/mod.ts";
import recorded from "../fixtures/expr/expressions.json";

interface Case {
  expr: string;
  strict?: boolean;
  boolean?: boolean;
  when?: string;
  error?: string;
  type?: string;
  value?: unknown;
}

const facts: Record<string, unknown> = recorded.facts;
/** What the expressions were recorded with. */
const env = {
  facts,
  names: ["alpha", "beta", "gamma"],
  code: 1n,
  msg: "OK",
  flag: true,
  ratio: 0.5,
  with: (text: string) => text === "yes",
  fact: (name: string) => facts[name] ?? null,
  fail: (text: string) => {
    throw new Error(`failed: ${text}`);
  },
  data: (...queries: string[]) => ({ n: BigInt(queries.length) }),
};
const declared: ExprOptions = {
  functions: {
    with: { parameters: ["string"], returns: "bool" },
    fact: { parameters: ["string"] },
    fail: { parameters: ["string"] },
    data: { parameters: ["string", "string"], required: 0, returns: "map" },
  },
  variables: { facts: "map", names: "array", code: "int", msg: "string", flag: "bool", ratio: "float" },
};

function typeOf(value: unknown): string {
  if (value === null) return "nil";
  if (Array.isArray(value)) return "array";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof ExprDuration) return "duration";
  const types: Record<string, string> = { boolean: "bool", bigint: "int", number: "float", string: "string" };
  return types[typeof value] ?? "map";
}

/** A value as the recording has it. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof ExprDuration) return Number(value.ns);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

function evaluate(source: string, data: Record<string, unknown> = {}): unknown {
  return compileExpr(source, { allowUndefined: true }).evaluate(data);
}

function failure(work: () => unknown): ExprError {
  try {
    work();
  } catch (error) {
    if (error instanceof ExprError) return error;
    throw error;
  }
  throw new Error("Nothing was thrown");
}

describe("expressions mean what they mean to the original", () => {
  for (const { expr, strict = false, boolean = false, when, error, type, value } of recorded.cases as Case[]) {
    const options = { ...declared, allowUndefined: !strict, boolean };
    test(`${JSON.stringify(expr)}${strict ? " with declared names only" : ""}${boolean ? " as boolean" : ""}`, () => {
      if (when === "compile") {
        const { message } = failure(() => compileExpr(expr, options));
        if (error !== undefined) expect(message).toBe(error);
        return;
      }
      const compiled = compileExpr(expr, options);
      if (when === "evaluate") {
        const { message } = failure(() => compiled.evaluate(env));
        if (error !== undefined) expect(message).toBe(error);
        return;
      }
      const result = compiled.evaluate(env);
      expect(typeOf(result)).toBe(type ?? "");
      expect(plain(result)).toEqual(value);
    });
  }
});

describe("an error", () => {
  test("names line and column, counted in characters", () => {
    const error = failure(() => compileExpr('"😀é" +\n  nope'));
    expect([error.line, error.column, error.reason]).toEqual([2, 3, "unknown name nope"]);
    expect(failure(() => compileExpr('"😀é" + nope')).column).toBe(8);
  });

  test("is one line, without a drawing", () => {
    const error = failure(() => evaluate("missing > 1"));
    expect(error.message).toBe("invalid operation: <nil> > int (1:9)");
  });

  test("of a function that is handed in blames its call and keeps the cause", () => {
    const cause = new Error("no such thing");
    const broken = () => {
      throw cause;
    };
    const error = failure(() => evaluate("1 + broken()", { broken }));
    expect(error.message).toBe("no such thing (1:5)");
    expect(error.cause).toBe(cause);
  });
});

describe("numbers", () => {
  test("are whole or not, and whole ones are exact to 64 bits", () => {
    expect(evaluate("9007199254740993 + 1")).toBe(9007199254740994n);
    expect(evaluate("9223372036854775807 + 1")).toBe(-9223372036854775808n);
    expect(evaluate("x + 1", { x: 1 })).toBe(2);
    expect(evaluate("x + 1", { x: 1n })).toBe(2n);
    expect(evaluate("1 / 0")).toBe(Number.POSITIVE_INFINITY);
  });

  test("are compared without losing digits", () => {
    expect(evaluate("9007199254740993 == x", { x: 9007199254740992 })).toBe(false);
    expect(evaluate("x < x", { x: Number.NaN })).toBe(false);
    expect(evaluate("x >= x", { x: Number.NaN })).toBe(false);
  });
});

describe("maps that are grouped", () => {
  test("have keys of any kind", () => {
    expect(evaluate("groupBy(1..4, # % 2)")).toEqual(
      new Map([
        [1n, [1n, 3n]],
        [0n, [2n, 4n]],
      ]),
    );
    expect(evaluate("groupBy(1..4, # % 2)[1] | len()")).toBe(2n);
    expect(evaluate('fromPairs([["a", 1]])?.a')).toBe(1n);
  });
});

describe("data", () => {
  test("holds no more than its own names: those of prototypes are nil", () => {
    for (const name of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
      expect(evaluate(name)).toBeNull();
      expect(evaluate(`x.${name}`, { x: {} })).toBeNull();
      expect(evaluate(`"${name}" in x`, { x: {} })).toBe(false);
      expect(() => evaluate(`${name}()`)).toThrow(ExprError);
      expect(() => evaluate(`x.${name}()`, { x: {} })).toThrow(ExprError);
      expect(() => evaluate(`[].${name}`)).toThrow(ExprError);
      expect(() => evaluate(`"".${name}`)).toThrow(ExprError);
    }
    expect(evaluate('{"__proto__": 1}.__proto__')).toBe(1n);
  });

  test("that is known to be a map is empty where it is nil", () => {
    const options: ExprOptions = { functions: { f: { parameters: [], returns: "map" } }, variables: { m: "map" } };
    const nil = (source: string) => compileExpr(source, options).evaluate({ f: () => null });
    expect(nil("m.x")).toBeNull();
    expect(nil("f().x ?? 1")).toBe(1n);
    expect(() => nil("m.x.y")).toThrow("cannot fetch y from <nil> (1:5)");
  });

  test("does not give its functions away as values", () => {
    expect(evaluate("f", { f: () => 1 })).toBeNull();
  });

  test("is not changed by what is done with it", () => {
    const list = [3, 1, 2];
    expect(evaluate("sort(list) | reverse() | concat([9]) | len()", { list })).toBe(4n);
    expect(list).toEqual([3, 1, 2]);
  });
});

describe("moments", () => {
  const noon = Date.UTC(2026, 10, 22, 12);
  const at = (source: string) => compileExpr(source).evaluate({}, { now: () => noon });

  test("come from the clock that is handed in", () => {
    expect(at("now().Unix()")).toBe(BigInt(noon / 1_000));
    expect(at('now().UTC().Format("2006-01-02 15:04")')).toBe("2026-11-22 12:00");
    expect(at('now() - duration("1h") < now()')).toBe(true);
    expect(at('string(now() - (now() - duration("90m")))')).toBe("1h30m0s");
  });

  test("are read in many forms", () => {
    const texts = ["2023-08-14", "2023-08-14 00:00:00", "2023-08-14T02:00:00+02:00", "Mon, 14 Aug 2023 00:00:00 UTC"];
    for (const text of texts) {
      const moment = at(`date("${text}")`);
      if (!(moment instanceof ExprMoment)) throw new TypeError("expected a moment");
      expect(formatRfc3339(moment.time.epochMilliseconds)).toBe("2023-08-14T00:00:00Z");
    }
  });

  test("know their parts, in the time zone they are looked at in", () => {
    expect(at('date("2023-08-14 23:30:00").In(timezone("Europe/Zurich")).Day()')).toBe(15n);
    expect(at('int(date("2023-08-14").Month())')).toBe(8n);
    expect(at('date("2023-08-14").Weekday().String()')).toBe("Monday");
    expect(at('date("2023-01-31").AddDate(0, 1, 0).Format("Jan _2")')).toBe("Mar  3");
    expect(at('date("2023-08-14T10:11:12.5Z").Round(duration("1m")).Minute()')).toBe(11n);
  });
});

describe("an expression that has to be boolean", () => {
  const boolean = (source: string) => compileExpr(source, { boolean: true, allowUndefined: true });

  test("is refused where it can be seen to be of another kind", () => {
    expect(() => boolean("1 + 1")).toThrow("expected bool, but got int");
    expect(() => boolean("'x'")).toThrow("expected bool, but got string");
  });

  test("takes nil for no, and fails on all else", () => {
    expect(boolean("x").test({})).toBe(false);
    expect(boolean("x").test({ x: true })).toBe(true);
    expect(() => boolean("x").test({ x: 1 })).toThrow("invalid operation: bool(float64) (1:1)");
  });
});
