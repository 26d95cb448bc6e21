import { FilterError } from "./fact.ts";

/** A version in parts. */
interface Version {
  major: number;
  minor: number;
  patch: number;
  /** What follows a hyphen, empty for a release. */
  prerelease: string;
}

/** One condition on a version. */
interface Constraint {
  operator: string;
  version: Version;
  /** Which of the parts was left open, as `x`, `*` or not at all. */
  open: { any: boolean; minor: boolean; patch: boolean };
  /** Whether it speaks of prereleases, which lets others of the group meet them too. */
  namesPrerelease: boolean;
}

const identifiers = "[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*";
const tail = `(?:-(${identifiers}))?(?:\\+${identifiers})?`;
const versionPattern = new RegExp(`^v?(\\d+)(?:\\.(\\d+))?(?:\\.(\\d+))?${tail}$`);
const operatorPattern = "(?:=<|=>|<=|>=|!=|~>|=|<|>|~|\\^)";
const partialPattern = `v?([0-9]+|[xX*])(?:\\.([0-9]+|[xX*]))?(?:\\.([0-9]+|[xX*]))?${tail}`;
const onePattern = new RegExp(`(${operatorPattern})?\\s*(${partialPattern})\\s*(?:,|\\s|$)`, "y");
const rangePattern = new RegExp(`\\s*(${partialPattern})\\s+-\\s+(${partialPattern})\\s*`, "g");
const spellings: Readonly<Record<string, string>> = { "=<": "<=", "=>": ">=", "~>": "~", "": "=" };
const longest = 256;
const longestConstraint = 1_024;

/**
 * Whether a version meets a constraint: `>= 1.2, < 2`, `^1.2`, `~1.2.3`, `1.x || 3.0 - 3.4`. A prerelease meets only
 * constraints that name one.
 *
 * @throws {FilterError} when the constraint or the version is none.
 */
export function matchVersion(version: string, constraint: string): boolean {
  const groups = parseConstraints(constraint);
  const parsed = parseVersion(version);
  return groups.some((group) => {
    const allowsPrerelease = group.some((each) => each.namesPrerelease);
    return group.every((each) => meets(parsed, each, allowsPrerelease));
  });
}

function parseVersion(text: string): Version {
  const found = text.length > longest ? null : versionPattern.exec(text);
  if (found === null) throw new FilterError("invalid semantic version");
  const [, major = "0", minor = "0", patch = "0", prerelease = ""] = found;
  if (prerelease.split(".").some((part) => /^0\d+$/.test(part))) {
    throw new FilterError("version segment starts with 0");
  }
  if ([major, minor, patch].some((part) => !Number.isSafeInteger(Number(part)))) {
    throw new FilterError("invalid semantic version");
  }
  return { major: Number(major), minor: Number(minor), patch: Number(patch), prerelease };
}

/** Groups of which one has to be met, as lists of conditions that all have to be. */
function parseConstraints(text: string): Constraint[][] {
  if (text.length > longestConstraint) throw new FilterError("constraint string is too long");
  const spelledOut = text.replace(rangePattern, (...found) => ` >=${found[1]},<=${found[6]} `);
  return spelledOut.split("||").map(parseGroup);
}

function parseGroup(group: string): Constraint[] {
  const list: Constraint[] = [];
  const text = group.trim();
  for (let at = 0; at < text.length; ) {
    onePattern.lastIndex = at;
    const found = onePattern.exec(text);
    if (found === null) throw new FilterError(`improper constraint: ${JSON.stringify(group)}`);
    list.push(readConstraint(found));
    at = onePattern.lastIndex + (/^\s*/.exec(text.slice(onePattern.lastIndex))?.[0].length ?? 0);
  }
  if (list.length === 0) throw new FilterError(`improper constraint: ${JSON.stringify(group)}`);
  return list;
}

function readConstraint(found: RegExpExecArray): Constraint {
  const [, spelled = "", , major = "", minor, patch, prerelease = ""] = found;
  const operator = spellings[spelled] ?? spelled;
  const namesPrerelease = prerelease !== "";
  const isOpen = (part: string | undefined) => part === undefined || /^[xX*]$/.test(part);
  if (isOpen(major)) {
    const version = { major: 0, minor: 0, patch: 0, prerelease: "" };
    return { operator, version, open: { any: true, minor: false, patch: false }, namesPrerelease };
  }
  const open = { any: isOpen(minor) || isOpen(patch), minor: isOpen(minor), patch: isOpen(patch) && !isOpen(minor) };
  const version = {
    major: Number(major),
    minor: open.minor ? 0 : Number(minor),
    patch: open.minor || open.patch ? 0 : Number(patch),
    prerelease,
  };
  return { operator, version, open, namesPrerelease };
}

function meets(version: Version, constraint: Constraint, allowsPrerelease: boolean): boolean {
  const { operator, version: wanted, open } = constraint;
  if (version.prerelease !== "" && !allowsPrerelease) return false;
  const order = compare(version, wanted);
  switch (operator) {
    case "=":
      return open.any ? isTilde(version, constraint) : order === 0;
    case "!=":
      return isOther(version, constraint);
    case ">":
      return isAbove(version, constraint);
    case ">=":
      return order >= 0;
    case "<":
      return order < 0;
    case "<=":
      return isUpTo(version, constraint);
    case "~":
      return isTilde(version, constraint);
    default:
      return isCaret(version, constraint);
  }
}

/** Parts that are left open stand for all there are. */
function isOther(version: Version, { version: wanted, open }: Constraint): boolean {
  if (!open.any) return compare(version, wanted) !== 0;
  if (version.major !== wanted.major) return true;
  if (open.minor) return false;
  if (version.minor !== wanted.minor) return true;
  return !open.patch && (version.patch !== wanted.patch || compare(version, wanted) !== 0);
}

function isAbove(version: Version, { version: wanted, open }: Constraint): boolean {
  if (!open.any || version.major !== wanted.major) return compare(version, wanted) > 0;
  if (open.minor) return false;
  return open.patch ? version.minor > wanted.minor : compare(version, wanted) > 0;
}

function isUpTo(version: Version, { version: wanted, open }: Constraint): boolean {
  if (!open.any) return compare(version, wanted) <= 0;
  if (version.major !== wanted.major) return version.major < wanted.major;
  return open.minor || version.minor <= wanted.minor;
}

function isTilde(version: Version, { version: wanted, open }: Constraint): boolean {
  if (compare(version, wanted) < 0) return false;
  const isZero = wanted.major === 0 && wanted.minor === 0 && wanted.patch === 0;
  if (isZero && !open.minor && !open.patch) return true;
  return version.major === wanted.major && (open.minor || version.minor === wanted.minor);
}

function isCaret(version: Version, { version: wanted, open }: Constraint): boolean {
  if (compare(version, wanted) < 0) return false;
  if (wanted.major > 0 || open.minor) return version.major === wanted.major;
  if (version.major > 0) return false;
  if (wanted.minor > 0 || open.patch) return version.minor === wanted.minor;
  return version.minor === 0 && version.patch === wanted.patch;
}

function compare(a: Version, b: Version): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch || comparePrerelease(a.prerelease, b.prerelease);
}

/** A release comes after its prereleases; numbers are compared as such and come before words. */
function comparePrerelease(a: string, b: string): number {
  if (a === b) return 0;
  if (a === "" || b === "") return a === "" ? 1 : -1;
  const [left, right] = [a.split("."), b.split(".")];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const order = compareIdentifiers(left[i], right[i]);
    if (order !== 0) return order;
  }
  return 0;
}

function compareIdentifiers(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  const [isNumberA, isNumberB] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumberA && isNumberB) return Number(a) - Number(b);
  if (isNumberA !== isNumberB) return isNumberA ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
