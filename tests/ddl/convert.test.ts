import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { completeInputs, convertInputs, type DdlAction, decodeDdl, validateInputs } from "../../lib/ddl/mod.ts";
import vectors from "../fixtures/ddl/ddl_validation_vectors.json" with { type: "json" };

const metadata = { name: "probe", timeout: 5 };

function actionOf(action: unknown): DdlAction {
  const found = decodeDdl({ metadata, actions: [action] }, "vector").actions[0];
  if (found === undefined) throw new Error("the vector has no action");
  return found;
}

const action = actionOf(vectors.action);
const bare = actionOf({ action: "bare", input: {}, output: {}, display: "ok", description: "" });

interface ClientVector {
  args: Record<string, string>;
  valid: boolean;
  result?: Record<string, unknown>;
  error?: string;
}

interface ServerVector {
  request: string;
  valid: boolean;
  error?: string;
}

describe("inputs typed as text", () => {
  for (const vector of vectors.client_string_conversion as unknown as ClientVector[]) {
    test(`${JSON.stringify(vector.args)} ${vector.valid ? "is taken" : "is refused"}`, () => {
      if (vector.valid) expect(convertInputs(action, vector.args)).toEqual(vector.result ?? {});
      else expect(() => convertInputs(action, vector.args)).toThrow(new Error(vector.error));
    });
  }

  test("an input declared in capitals can be given in capitals", () => {
    expect(convertInputs(action, { H: '{"a":1}', req: "x" }).H).toEqual({ a: 1 });
  });

  test("a whole number that JSON would round is refused instead of sent as another", () => {
    expect(() => convertInputs(action, { i: "9007199254740993", req: "x" })).toThrow("is not a valid integer");
    expect(convertInputs(action, { i: "9007199254740991", req: "x" }).i).toBe(Number.MAX_SAFE_INTEGER);
  });

  test("no text at all brings it down in another way than an error", () => {
    const names = fc.constantFrom(...Object.keys(action.input), "__proto__", "constructor", "nope");
    fc.assert(
      fc.property(fc.dictionary(names, fc.string()), (given) => {
        try {
          const data = convertInputs(action, given);
          validateInputs(action, data);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect((error as Error).message).toMatch(/^(input '|invalid value for ')/);
        }
      }),
    );
  });
});

describe("inputs given as values", () => {
  test("take defaults and are checked like text", () => {
    expect(completeInputs(action, { req: "x" })).toEqual({ req: "x", l: "a" });
    expect(() => completeInputs(action, { req: "x", i: "1" })).toThrow("invalid value for 'i': is not an integer");
    expect(() => completeInputs(action, { req: "x", zz: 1 })).toThrow("input 'zz' has not been declared");
    expect(() => completeInputs(action, {})).toThrow("input 'req' is required");
  });
});

describe("inputs that a server checks", () => {
  const isObjectText = (text: string) => text.startsWith("{");
  for (const vector of (vectors.server_input_validation as ServerVector[]).filter((v) => isObjectText(v.request))) {
    test(`${vector.request} ${vector.valid ? "passes" : "is refused"}`, () => {
      const check = () => validateInputs(action, JSON.parse(vector.request));
      if (vector.valid) expect(check).not.toThrow();
      else expect(check).toThrow(new Error(vector.error));
    });
  }

  for (const vector of vectors.server_no_inputs_declared as ServerVector[]) {
    test(`${vector.request} ${vector.valid ? "passes" : "is refused"} where none are declared`, () => {
      const check = () => validateInputs(bare, JSON.parse(vector.request));
      if (vector.valid) expect(check).not.toThrow();
      else expect(check).toThrow(new Error(vector.error));
    });
  }
});
