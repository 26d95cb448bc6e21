import { fromDecimal, isInteger, parseDecimal } from "../_scalars.ts";
import type { RegoValue } from "../values.ts";
import { type Args, bad, type Family, fn, str } from "./_kit.ts";

const PREFIXES = ["k", "m", "g", "t", "p", "e"];
const AMOUNT = /^([+-]?(?:\d+(?:\.\d*)?|\.\d*)?(?:[eE][+-]?\d+)?)(.*)$/s;
const MAX_EXPONENT = 1000;

function amount(args: Args, name: string): readonly [string, string] {
  const text = str(args, 0).replaceAll('"', "");
  if (/\s/.test(text)) throw bad("spaces not allowed in resource strings");
  const [, digits = "", unit = ""] = AMOUNT.exec(text) ?? [];
  if (!/\d/.test(digits))
    throw bad(/^[.\d+-]/.test(text) && text !== "" ? `could not parse ${name} to a number` : `no ${name} provided`);
  if (Math.abs(Number(/[eE]([+-]?\d+)$/.exec(digits)?.[1] ?? "0")) > MAX_EXPONENT) throw bad("exponent too large");
  if (/^[.\d]/.test(unit)) throw bad(`could not parse ${name} to a number`);
  return [digits, unit];
}

function scaled(digits: string, factor: bigint, down: number): number | bigint {
  const text = digits.replace(/^\+/, "").replace(/^(-?)\./, "$10.");
  const decimal = parseDecimal(text);
  if (decimal === undefined) throw bad("could not parse amount to a number");
  return fromDecimal({ digits: decimal.digits * factor, exponent: decimal.exponent - down });
}

function factorOf(unit: string): bigint | undefined {
  if (unit === "") return 1n;
  const power = PREFIXES.indexOf(unit[0] ?? "") + 1;
  if (power === 0) return undefined;
  if (unit.length === 1) return 1000n ** BigInt(power);
  return unit.slice(1) === "i" ? 1024n ** BigInt(power) : undefined;
}

function parseUnits(args: Args): RegoValue {
  const [digits, unit] = amount(args, "amount");
  if (unit === "m") return scaled(digits, 1n, 3);
  const factor = factorOf(unit.toLowerCase());
  if (factor === undefined) throw bad(`unit ${unit} not recognized`);
  return scaled(digits, factor, 0);
}

function parseBytes(args: Args): RegoValue {
  const [digits, unit] = amount(args, "byte amount");
  const factor = factorOf(unit.toLowerCase().replace(/(?<=.)b$/, ""));
  if (factor === undefined) throw bad(`byte unit ${unit.toLowerCase()} not recognized`);
  const value = scaled(digits, factor, 0);
  return isInteger(value) ? value : Math.trunc(Number(value));
}

/** Amounts with units. */
export const UNITS: Family = {
  "units.parse": fn(1, parseUnits),
  "units.parse_bytes": fn(1, parseBytes),
};
