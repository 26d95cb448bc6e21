import { common, type Kind, kindName, mayBe } from "./_kinds.ts";

/** What an operator gives, or why it cannot give anything. */
export type Outcome = { kind: Kind } | { problem: string };

const arithmetic: ReadonlySet<string> = new Set(["+", "-", "*", "/", "%", "**", "^"]);

/** What an operator gives for operands of two kinds. */
export function checkBinary(operator: string, a: Kind, b: Kind): Outcome {
  const kind = outcome(operator, a, b);
  if (kind !== undefined) return { kind };
  return { problem: `invalid operation: ${operator} (mismatched types ${kindName(a)} and ${kindName(b)})` };
}

/** Why an operator cannot be applied to a kind; undefined when it can. */
export function checkUnary(operator: string, kind: Kind): string | undefined {
  const isFine = operator === "not" || operator === "!" ? mayBe(kind, "bool") : mayBe(kind, "int", "float");
  return isFine ? undefined : `invalid operation: ${operator} (mismatched type ${kindName(kind)})`;
}

/** Why a kind has no such field or element; undefined when it may have. */
export function checkMember(
  whole: Kind,
  key: Kind,
  { isField, name }: { isField: boolean; name: string },
): string | undefined {
  if (whole === "any") return undefined;
  if (whole === "array" || whole === "bytes") {
    if (mayBe(key, "int", "float")) return undefined;
    return `array elements can only be selected using an integer (got ${kindName(key)})`;
  }
  if (whole === "map") return key === "nil" ? "cannot use nil to get an element from a map" : undefined;
  if (isField) return `type ${whole === "nil" ? "nil" : kindName(whole)} has no field ${name}`;
  return `type ${kindName(whole)}[${kindName(key)}] is undefined`;
}

function outcome(operator: string, a: Kind, b: Kind): Kind | undefined {
  if (operator === "??") return a === "nil" ? b : common(a, b);
  if (arithmetic.has(operator)) return arithmeticOutcome(operator === "^" ? "**" : operator, a, b);
  switch (operator) {
    case "==":
    case "!=":
      return areComparable(a, b) ? "bool" : undefined;
    case "<":
    case "<=":
    case ">":
    case ">=":
      return areOrdered(a, b) ? "bool" : undefined;
    case "in":
      return mayBe(b, "array", "map") ? "bool" : undefined;
    case "..":
      return mayBe(a, "int") && mayBe(b, "int") ? "array" : undefined;
    case "and":
    case "&&":
    case "or":
    case "||":
      return mayBe(a, "bool") && mayBe(b, "bool") ? "bool" : undefined;
    default:
      return mayBe(a, operator === "matches" ? "bytes" : "string", "string") && mayBe(b, "string") ? "bool" : undefined;
  }
}

function isNumber(kind: Kind): boolean {
  return kind === "int" || kind === "float";
}

function areComparable(a: Kind, b: Kind): boolean {
  return a === b || a === "any" || b === "any" || a === "nil" || b === "nil" || (isNumber(a) && isNumber(b));
}

function areOrdered(a: Kind, b: Kind): boolean {
  const has = (kind: Kind) => mayBe(kind, "int", "float", "string", "time", "duration");
  return has(a) && has(b) && (a === "any" || b === "any" || a === b || (isNumber(a) && isNumber(b)));
}

function arithmeticOutcome(operator: string, a: Kind, b: Kind): Kind | undefined {
  const isOpen = a === "any" || b === "any";
  if (a === "nil" || b === "nil") return undefined;
  if (operator === "%") return mayBe(a, "int") && mayBe(b, "int") ? "int" : undefined;
  if ((isNumber(a) || a === "any") && (isNumber(b) || b === "any")) {
    if (operator === "/" || operator === "**") return "float";
    return isOpen ? "any" : a === "int" && b === "int" ? "int" : "float";
  }
  if (operator === "+" && mayBe(a, "string") && mayBe(b, "string")) return "string";
  return temporalOutcome(operator, a, b);
}

function temporalOutcome(operator: string, a: Kind, b: Kind): Kind | undefined {
  const [isTimeA, isTimeB] = [a === "time", b === "time"];
  const [isLengthA, isLengthB] = [a === "duration", b === "duration"];
  if (operator === "*") {
    if (isLengthA) return b === "float" ? "float" : b === "int" || isLengthB ? a : b === "any" ? "any" : undefined;
    return isLengthB ? (a === "float" ? "float" : a === "int" ? b : a === "any" ? "any" : undefined) : undefined;
  }
  if (operator !== "+" && operator !== "-") return undefined;
  if (a === "any" && (isTimeB || isLengthB)) return "any";
  if (b === "any" && (isTimeA || isLengthA)) return "any";
  if (isLengthA && isLengthB) return "duration";
  if (isTimeA && isLengthB) return "time";
  if (operator === "+") return isLengthA && isTimeB ? "time" : undefined;
  return isTimeA && isTimeB ? "duration" : undefined;
}
