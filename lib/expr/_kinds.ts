import { ExprDuration, ExprEnum, ExprMoment, ExprZone, isMap } from "./values.ts";

/** What is known of a value before it is there; `any` where nothing is. */
export type Kind =
  | "any"
  | "nil"
  | "bool"
  | "int"
  | "float"
  | "string"
  | "bytes"
  | "array"
  | "map"
  | "time"
  | "duration"
  | "enum"
  | "zone"
  | "function";

const goNames: Readonly<Record<Kind, string>> = {
  any: "interface {}",
  nil: "unknown",
  bool: "bool",
  int: "int",
  float: "float64",
  string: "string",
  bytes: "[]uint8",
  array: "[]interface {}",
  map: "map[string]interface {}",
  time: "time.Time",
  duration: "time.Duration",
  enum: "time.Month",
  zone: "*time.Location",
  function: "func",
};

/** How messages call a kind. */
export function kindName(kind: Kind): string {
  return goNames[kind];
}

/** The kind of a value. */
export function kindOf(value: unknown): Kind {
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return "float";
    case "string":
      return "string";
    case "function":
      return "function";
  }
  if (value === null || value === undefined) return "nil";
  if (Array.isArray(value)) return "array";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof ExprMoment) return "time";
  if (value instanceof ExprDuration) return "duration";
  if (value instanceof ExprEnum) return "enum";
  if (value instanceof ExprZone) return "zone";
  return isMap(value) ? "map" : "any";
}

/** How messages call the type of a value. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (value instanceof ExprEnum) return value.type;
  return kindName(kindOf(value));
}

/** The kind that two branches share; `any` when they differ. */
export function common(a: Kind, b: Kind): Kind {
  return a === b ? a : "any";
}

/** Whether a value of a kind may turn out to be of one of the others. */
export function mayBe(kind: Kind, ...others: readonly Kind[]): boolean {
  return kind === "any" || others.includes(kind);
}
