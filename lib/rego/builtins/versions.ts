import { type Args, any, bad, type Family, fn, str } from "./_kit.ts";

const SEMVER = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?$/;

interface Version {
  readonly numbers: readonly bigint[];
  readonly pre: string;
}

function parse(text: string): Version | undefined {
  if (text.length > 512) return undefined;
  const match = SEMVER.exec(text);
  if (match === null) return undefined;
  return { numbers: match.slice(1, 4).map((each) => BigInt(each ?? "0")), pre: match[4] ?? "" };
}

function operand(args: Args, i: number): Version {
  const text = str(args, i);
  const version = parse(text);
  if (version === undefined) throw bad(`operand ${i + 1}: string ${JSON.stringify(text)} is not a valid SemVer`);
  return version;
}

function comparePart(a: string, b: string): number {
  const [numericA, numericB] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (numericA && numericB) return compareBig(BigInt(a), BigInt(b));
  if (numericA !== numericB) return numericA ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareBig(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function comparePre(a: string, b: string): number {
  if (a === b) return 0;
  if (a === "" || b === "") return a === "" ? 1 : -1;
  const [left, right] = [a.split("."), b.split(".")];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const order = comparePart(left[i] ?? "", right[i] ?? "");
    if (order !== 0) return order;
  }
  return Math.sign(left.length - right.length);
}

function compare(args: Args): number {
  const [a, b] = [operand(args, 0), operand(args, 1)];
  for (const [i, x] of a.numbers.entries()) {
    const order = compareBig(x, b.numbers[i] ?? 0n);
    if (order !== 0) return order;
  }
  return comparePre(a.pre, b.pre);
}

/** Semantic versions. */
export const VERSIONS: Family = {
  "semver.compare": fn(2, compare),
  "semver.is_valid": fn(1, (a) => {
    const text = any(a, 0);
    return typeof text === "string" && parse(text) !== undefined;
  }),
};
