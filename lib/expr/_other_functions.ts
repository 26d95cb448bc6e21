import type { Builtins } from "./_builtin.ts";
import { display, toJson } from "./_format.ts";
import { kindOf } from "./_kinds.ts";
import { toText } from "./_operators.ts";
import type { Run } from "./_run.ts";
import { ExprEnum } from "./values.ts";

const names: Readonly<Record<string, string>> = {
  time: "time.Time",
  duration: "time.Duration",
  zone: "time.Location",
  function: "func",
  bytes: "array",
  any: "map",
};

/** Functions that turn values of all kinds into others. */
export const otherFunctions: Builtins = {
  type: { parameters: ["any"], returns: "string", call: (_run, [value]) => typeOf(value) },
  string: { parameters: ["any"], returns: "string", call: (run, [value]) => display(run, value) },
  toJSON: { parameters: ["any"], returns: "string", call: (run, [value]) => toJson(run, value) },
  fromJSON: { parameters: ["string"], returns: "any", call: fromJson },
};

function typeOf(value: unknown): string {
  if (value instanceof ExprEnum) return value.type;
  const kind = kindOf(value);
  return names[kind] ?? kind;
}

/** Numbers of JSON are floats. */
function fromJson(run: Run, [value]: readonly unknown[]): unknown {
  const text = toText(run, value);
  run.allot(text.length >> 2);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const reason = /EOF|end of/i.test(String(error)) ? "unexpected end of JSON input" : "invalid JSON";
    throw run.error(reason, { cause: error });
  }
}
