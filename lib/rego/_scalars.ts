const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** Compares two strings by code point, as the language orders them (UTF-16 order differs beyond U+FFFF). */
export function compareStrings(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return aboveSurrogates(x) - aboveSurrogates(y);
  }
  return a.length - b.length;
}

function aboveSurrogates(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}

/** An integer in its one representation: number when it is safe, bigint otherwise. */
export function normalizeInteger(value: bigint): number | bigint {
  return value <= MAX_SAFE && value >= -MAX_SAFE ? Number(value) : value;
}

const NUMBER = /^(-?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;
const MAX_DIGITS = 5000;

/** Exact decimal: `digits` times ten to the power of `exponent`. */
export interface Decimal {
  digits: bigint;
  exponent: number;
}

/** The decimal a number text stands for; undefined when it is no number or absurdly long. */
export function parseDecimal(text: string): Decimal | undefined {
  const match = NUMBER.exec(text);
  if (match === null) return undefined;
  const [, sign = "", whole = "0", fraction = "", power = "0"] = match;
  const exponent = Number(power) - fraction.length;
  if (whole.length + fraction.length > MAX_DIGITS || Math.abs(exponent) > MAX_DIGITS) return undefined;
  const digits = BigInt(whole + fraction);
  return { digits: sign === "-" ? -digits : digits, exponent };
}

/** The number of a decimal: exact when it is an integer, the nearest double otherwise. */
export function fromDecimal(decimal: Decimal): number | bigint {
  let { digits, exponent } = decimal;
  if (exponent >= 0) return normalizeInteger(digits * 10n ** BigInt(exponent));
  while (exponent < 0 && digits % 10n === 0n) {
    digits /= 10n;
    exponent++;
  }
  if (exponent >= 0 || digits === 0n) return normalizeInteger(digits);
  return Number(`${digits}e${exponent}`);
}

/** The number a JSON or policy text writes, exact when it is an integer; undefined when it is none. */
export function parseNumber(text: string): number | bigint | undefined {
  if (/^-?\d{1,15}$/.test(text)) {
    const small = Number(text);
    return small === 0 ? 0 : small;
  }
  const decimal = parseDecimal(text);
  return decimal === undefined ? undefined : fromDecimal(decimal);
}

/** The exact decimal of a number as it would be printed. */
export function toDecimal(value: number | bigint): Decimal {
  if (typeof value === "bigint") return { digits: value, exponent: 0 };
  if (Number.isSafeInteger(value)) return { digits: BigInt(value), exponent: 0 };
  return parseDecimal(String(value).replace("e+", "e")) ?? { digits: 0n, exponent: 0 };
}

/** Whether a number has no fraction. */
export function isInteger(value: number | bigint): boolean {
  return typeof value === "bigint" || Number.isInteger(value);
}

/** The text of a number: integers in full, never in exponent form. */
export function numberText(value: number | bigint): string {
  if (typeof value === "number" && Number.isInteger(value) && Math.abs(value) >= 1e21) return BigInt(value).toString();
  return String(value);
}
