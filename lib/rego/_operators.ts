/** What an infix operator is called, and how tight it binds. */
export interface Infix {
  readonly level: number;
  readonly name: string;
}

/** An operator or mark of punctuation. */
export interface Operator {
  readonly text: string;
  readonly infix: Infix | undefined;
}

const INFIX: Readonly<Record<string, Infix>> = {
  "==": { level: 2, name: "equal" },
  "!=": { level: 2, name: "neq" },
  "<": { level: 2, name: "lt" },
  "<=": { level: 2, name: "lte" },
  ">": { level: 2, name: "gt" },
  ">=": { level: 2, name: "gte" },
  "|": { level: 3, name: "or" },
  "&": { level: 4, name: "and" },
  "+": { level: 5, name: "plus" },
  "-": { level: 5, name: "minus" },
  "*": { level: 6, name: "mul" },
  "/": { level: 6, name: "div" },
  "%": { level: 6, name: "rem" },
};

/** Operators of one character, by its code. */
export const SINGLE: readonly (Operator | undefined)[] = table("= < > + - * / % | & , ; : . ( ) [ ] { }");

/** Operators of a character and `=`, by the code of the first. */
export const WITH_EQUALS: readonly (Operator | undefined)[] = table(":= == != <= >=");

/** Characters that names begin with, and those they consist of, by code. */
export const NAME_START: Uint8Array = characters("_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
export const NAME_PART: Uint8Array = characters("_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");

function characters(all: string): Uint8Array {
  const out = new Uint8Array(256);
  for (const char of all) out[char.charCodeAt(0)] = 1;
  return out;
}

function table(texts: string): (Operator | undefined)[] {
  const out: (Operator | undefined)[] = new Array(128).fill(undefined);
  for (const text of texts.split(" ")) out[text.charCodeAt(0)] = { text, infix: INFIX[text] };
  return out;
}

const KEYWORDS = new Set(
  "as contains default else every false if import in not null package some true with".split(" "),
);

/** The keyword a name is in some dialect, empty where it is none. */
export function keywordIn(name: string): string {
  return KEYWORDS.has(name) ? name : "";
}
