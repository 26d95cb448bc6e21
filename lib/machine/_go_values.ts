import { TemplateFault } from "../template/mod.ts";

/**
 * Values as a Go template sees them: numbers of JSON are float64, whole numbers that stand in a template are int and
 * kept as bigints.
 */
export function goType(value: unknown): string {
  if (typeof value === "string") return "string";
  if (typeof value === "bigint") return "int";
  if (typeof value === "number") return "float64";
  if (typeof value === "boolean") return "bool";
  if (Array.isArray(value)) return "[]interface {}";
  return value === null || value === undefined ? "nil" : "map[string]interface {}";
}

/** A value as Go prints it: `3`, `1.795321716e+09`, `[1 a]`, `map[a:x b:1]`, `<nil>`. */
export function goText(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return floatText(value);
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(goText).join(" ")}]`;
  if (typeof value !== "object") return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, item]) => `${key}:${goText(item)}`).join(" ")}]`;
}

/** From this power of ten on, a float is written with an exponent. */
const floatLimit = 6;

/** The shortest digits that tell a float apart, with an exponent where it is below -4 or above 5. */
function floatText(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : value < 0 ? "-Inf" : "NaN";
  const [digits = "0", exponent = "0"] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power >= -4 && power < floatLimit)
    return value.toFixed(Math.max(0, digits.replace(/[-.]/g, "").length - 1 - power));
  return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** Whether a value counts as true. */
export function goTruth(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return value !== 0n && Boolean(value);
}

const verb = /%([-+# 0]*)(\d{0,4})(?:\.(\d{0,3}))?([a-zA-Z%])/g;

/** Go's `fmt.Sprintf`, as far as templates of machines go. */
export function goSprintf(format: string, args: readonly unknown[]): string {
  let next = 0;
  const text = format.replace(
    verb,
    (_, flags: string, width: string, precision: string | undefined, letter: string) => {
      if (letter === "%") return "%";
      if (next >= args.length) return `%!${letter}(MISSING)`;
      return padded(formatted(letter, args[next++], precision), flags, Number(width));
    },
  );
  const rest = args.slice(next).map((value) => `${goType(value)}=${goText(value)}`);
  return rest.length === 0 ? text : `${text}%!(EXTRA ${rest.join(", ")})`;
}

function formatted(letter: string, value: unknown, precision: string | undefined): string {
  const wrong = `%!${letter}(${goType(value)}=${goText(value)})`;
  switch (letter) {
    case "v":
      return goText(value);
    case "T":
      return goType(value);
    case "s":
      return typeof value === "number" || typeof value === "bigint" || typeof value === "boolean"
        ? wrong
        : goText(value).slice(0, precision === undefined ? undefined : Number(precision));
    case "q":
      return typeof value === "string" ? JSON.stringify(value) : wrong;
    case "d":
      return typeof value === "bigint" ? String(value) : wrong;
    case "x":
      return typeof value === "bigint" ? value.toString(16) : hexOf(value, wrong);
    case "t":
      return typeof value === "boolean" ? String(value) : wrong;
    case "f":
      return typeof value === "number" ? value.toFixed(Number(precision ?? 6)) : wrong;
    case "g":
      return typeof value === "number" ? floatText(value) : wrong;
    default:
      return wrong;
  }
}

function hexOf(value: unknown, wrong: string): string {
  return typeof value === "string" ? Buffer.from(value).toString("hex") : wrong;
}

function padded(text: string, flags: string, width: number): string {
  if (flags.includes("-")) return text.padEnd(width);
  if (!flags.includes("0")) return text.padStart(width);
  return text.startsWith("-") ? `-${text.slice(1).padStart(width - 1, "0")}` : text.padStart(width, "0");
}

/** The order of two values of one type. @throws {TemplateFault} where they are not. */
export function goCompare(name: string, a: unknown, b: unknown): number {
  const [left, right] = [goType(a), goType(b)];
  const fault = (reason: string) => new TemplateFault(`error calling ${name}: ${reason}`);
  const isOrdered = name !== "eq" && name !== "ne";
  if (left.includes("interface") || right.includes("interface")) throw fault("non-comparable type");
  if (left === "nil" || right === "nil") {
    if (isOrdered) throw fault("invalid type for comparison");
    return left === right ? 0 : 1;
  }
  if (left !== right) throw fault(`incompatible types for comparison: ${left} and ${right}`);
  if (isOrdered && left === "bool") throw fault("invalid type for comparison");
  return a === b ? 0 : (a as string) < (b as string) ? -1 : 1;
}
