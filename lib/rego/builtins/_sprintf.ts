import { valueText } from "../text.ts";
import type { RegoValue } from "../values.ts";

const VERB = /%([-+# 0]*)(\d+|\*)?(?:\.(\d*))?([a-zA-Z%])/g;
const MAX_WIDTH = 10_000;

interface Spec {
  readonly minus: boolean;
  readonly plus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  readonly width: number;
  readonly precision: number | undefined;
  readonly verb: string;
}

/** Formats values by a template of the printf family. */
export function sprintf(
  template: string,
  args: readonly RegoValue[],
  make: (bytes: number) => void = () => {},
): string {
  let next = 0;
  const out = template.replace(
    VERB,
    (_, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === "%") return "%";
      const spec: Spec = {
        minus: flags.includes("-"),
        plus: flags.includes("+"),
        sharp: flags.includes("#"),
        space: flags.includes(" "),
        zero: flags.includes("0"),
        width: Math.min(width === "*" ? Number(args[next++] ?? 0) || 0 : Number(width ?? 0), MAX_WIDTH),
        precision: precision === undefined ? undefined : Math.min(Number(precision), MAX_WIDTH),
        verb,
      };
      if (next >= args.length) return `%!${verb}(MISSING)`;
      const part = format(spec, args[next++] ?? null);
      make(part.length);
      return part;
    },
  );
  if (next >= args.length || next === 0) return next === 0 && args.length > 0 ? out + extra(args) : out;
  return out + extra(args.slice(next));
}

function extra(args: readonly RegoValue[]): string {
  return `%!(EXTRA ${args.map((arg) => `${goType(arg)}=${plain(arg)}`).join(", ")})`;
}

function goType(value: RegoValue): string {
  if (typeof value === "bigint") return "*big.Int";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float64";
  return "string";
}

function plain(value: RegoValue): string {
  if (typeof value === "string") return value;
  return typeof value === "number" ? general(value, undefined, 21) : valueText(value);
}

function format(spec: Spec, value: RegoValue): string {
  const body = typeof value === "number" || typeof value === "bigint" ? numeric(spec, value) : textual(spec, value);
  return body ?? `%!${spec.verb}(${goType(value)}=${plain(value)})`;
}

function pad(spec: Spec, text: string, zero = false): string {
  const missing = spec.width - [...text].length;
  if (missing <= 0) return text;
  if (spec.minus) return text + " ".repeat(missing);
  if (!zero || !spec.zero) return " ".repeat(missing) + text;
  const sign = /^[+-]/.exec(text)?.[0] ?? "";
  return sign + "0".repeat(missing) + text.slice(sign.length);
}

function textual(spec: Spec, value: RegoValue): string | undefined {
  const text = plain(value);
  const cut = spec.precision === undefined ? text : [...text].slice(0, spec.precision).join("");
  switch (spec.verb) {
    case "s":
    case "v":
      return pad(spec, spec.verb === "v" && spec.sharp ? JSON.stringify(cut) : cut);
    case "q":
      return pad(spec, JSON.stringify(cut));
    case "x":
    case "X": {
      const hex = Buffer.from(cut).toString("hex");
      return pad(spec, spec.verb === "X" ? hex.toUpperCase() : hex);
    }
    case "T":
      return pad(spec, "string");
    default:
      return undefined;
  }
}

const BASES: Readonly<Record<string, number>> = { b: 2, o: 8, O: 8, d: 10, x: 16, X: 16 };
const PREFIXES: Readonly<Record<string, string>> = { b: "0b", o: "0", O: "0o", x: "0x", X: "0X" };

function numeric(spec: Spec, value: number | bigint): string | undefined {
  if (spec.verb === "T") return pad(spec, goType(value));
  if (typeof value === "bigint" && (spec.verb === "s" || spec.verb === "v")) return pad(spec, String(value));
  const integral = typeof value === "bigint" || Number.isInteger(value);
  if (spec.verb === "v")
    return pad(spec, signed(spec, integral ? String(value) : general(Number(value), spec.precision, 21)), true);
  return integral ? whole(spec, BigInt(value)) : fraction(spec, Number(value));
}

function signed(spec: Spec, text: string): string {
  if (text.startsWith("-")) return text;
  return spec.plus ? `+${text}` : spec.space ? ` ${text}` : text;
}

function whole(spec: Spec, value: bigint): string | undefined {
  if (spec.verb === "c" || spec.verb === "q" || spec.verb === "U") return character(spec, Number(value));
  const base = BASES[spec.verb];
  if (base === undefined) return undefined;
  const magnitude = value < 0n ? -value : value;
  let digits = magnitude.toString(base);
  if (spec.precision !== undefined) digits = digits.padStart(spec.precision, "0");
  if (spec.verb === "X") digits = digits.toUpperCase();
  const prefix = spec.sharp || spec.verb === "O" ? (PREFIXES[spec.verb] ?? "") : "";
  return pad(spec, signed(spec, (value < 0n ? "-" : "") + prefix + digits), true);
}

function character(spec: Spec, code: number): string {
  const char = code >= 0 && code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
  if (spec.verb === "U") return pad(spec, `U+${code.toString(16).toUpperCase().padStart(4, "0")}`);
  return pad(spec, spec.verb === "q" ? `'${char}'` : char);
}

function fraction(spec: Spec, value: number): string | undefined {
  switch (spec.verb) {
    case "f":
    case "F":
      return pad(spec, signed(spec, value.toFixed(Math.min(spec.precision ?? 6, 100))), true);
    case "e":
    case "E":
      return pad(
        spec,
        signed(spec, exponent(value.toExponential(Math.min(spec.precision ?? 6, 100)), spec.verb)),
        true,
      );
    case "g":
    case "G":
      return pad(spec, signed(spec, general(value, spec.precision, 21)), true);
    default:
      return undefined;
  }
}

function exponent(text: string, letter: string): string {
  return text.replace(
    /e([+-])(\d+)$/,
    (_, sign: string, digits: string) => `${letter}${sign}${digits.padStart(2, "0")}`,
  );
}

function general(value: number, precision: number | undefined, limit: number): string {
  const short = precision === undefined ? value : Number(value.toPrecision(Math.min(Math.max(precision, 1), 100)));
  const power = short === 0 ? 0 : Math.floor(Math.log10(Math.abs(short)));
  if (power < -4 || power >= (precision ?? limit)) return exponent(short.toExponential(), "e");
  return short.toString();
}
