import type { Builtin, Builtins } from "./_builtin.ts";
import { toInteger, toList, toText } from "./_operators.ts";
import type { Run } from "./_run.ts";

const twoTexts = { parameters: ["string", "string"] } as const;
const splitting = { parameters: ["string", "string", "int"], required: 2, returns: "array" } as const;

/** Functions that work on strings. */
export const textFunctions: Builtins = {
  trim: { ...twoTexts, required: 1, returns: "string", call: trim },
  trimPrefix: { ...twoTexts, returns: "string", call: (run, given) => trimPart(run, given, "startsWith") },
  trimSuffix: { ...twoTexts, returns: "string", call: (run, given) => trimPart(run, given, "endsWith") },
  upper: mapping((text) => text.replace(/[^\0-\x7f]|[a-z]/gu, upperLetter)),
  lower: mapping((text) => text.toLowerCase()),
  split: { ...splitting, call: (run, given) => split(run, given, "") },
  splitAfter: { ...splitting, call: (run, given) => split(run, given, "after") },
  replace: { parameters: ["string", "string", "string", "int"], required: 3, returns: "string", call: replace },
  repeat: { parameters: ["string", "any"], returns: "string", call: repeat },
  join: { parameters: ["array", "string"], required: 1, returns: "string", call: join },
  indexOf: { ...twoTexts, returns: "int", call: (run, given) => position(run, given, "indexOf") },
  lastIndexOf: { ...twoTexts, returns: "int", call: (run, given) => position(run, given, "lastIndexOf") },
  hasPrefix: { ...twoTexts, returns: "bool", call: (run, given) => has(run, given, "startsWith") },
  hasSuffix: { ...twoTexts, returns: "bool", call: (run, given) => has(run, given, "endsWith") },
  toBase64: mapping((text) => Buffer.from(text).toString("base64")),
  fromBase64: { parameters: ["string"], returns: "string", call: fromBase64 },
};

function mapping(change: (text: string) => string): Builtin {
  return {
    parameters: ["string"],
    returns: "string",
    call: (run, [value]) => {
      const text = toText(run, value);
      run.spend(text.length >> 4);
      return run.text(change(text));
    },
  };
}

/** A letter whose upper case is several stays as it is. */
function upperLetter(letter: string): string {
  const upper = letter.toUpperCase();
  return [...upper].length === 1 ? upper : letter;
}

function trim(run: Run, [value, letters]: readonly unknown[]): string {
  const text = toText(run, value);
  run.spend(text.length >> 4);
  if (letters === undefined) return text.replace(/^\p{White_Space}+/u, "").trimEnd();
  const all = run.list([...text]);
  const unwanted = new Set(toText(run, letters));
  const isWanted = (letter: string) => !unwanted.has(letter);
  const first = all.findIndex(isWanted);
  return first < 0 ? "" : all.slice(first, all.findLastIndex(isWanted) + 1).join("");
}

function trimPart(run: Run, [value, wanted]: readonly unknown[], side: "startsWith" | "endsWith"): string {
  const [text, part] = [toText(run, value), toText(run, wanted)];
  if (!text[side](part)) return text;
  return side === "startsWith" ? text.slice(part.length) : text.slice(0, text.length - part.length);
}

function has(run: Run, [value, wanted]: readonly unknown[], side: "startsWith" | "endsWith"): boolean {
  return toText(run, value)[side](toText(run, wanted));
}

function split(run: Run, [value, separator, most]: readonly unknown[], keep: "" | "after"): string[] {
  const [text, sign] = [toText(run, value), toText(run, separator)];
  const limit = most === undefined ? -1 : Number(toInteger(run, most));
  if (limit === 0) return [];
  run.allot(text.length >> 4);
  const pieces = run.list(sign === "" ? [...text] : text.split(sign));
  const count = limit < 0 ? pieces.length : Math.min(limit, pieces.length);
  if (count === 0) return [];
  const whole = [...pieces.slice(0, count - 1), pieces.slice(count - 1).join(sign)];
  return keep === "after" ? whole.map((piece, i) => (i < count - 1 ? piece + sign : piece)) : whole;
}

function replace(run: Run, [value, old, fresh, most]: readonly unknown[]): string {
  const [text, from, to] = [toText(run, value), toText(run, old), toText(run, fresh)];
  const limit = most === undefined ? -1 : Number(toInteger(run, most));
  run.spend(text.length >> 4);
  const pieces = run.list(from === "" ? [...text] : text.split(from));
  const found = from === "" ? pieces.length + 1 : pieces.length - 1;
  const count = limit < 0 ? found : Math.min(limit, found);
  run.allot((count * to.length) >> 4);
  if (from === "") {
    const letters = pieces.map((letter, i) => (i < count ? to + letter : letter));
    return run.text(letters.join("") + (count > pieces.length ? to : ""));
  }
  const rest = pieces.slice(count).join(from);
  return run.text([...pieces.slice(0, count), rest].join(to));
}

function repeat(run: Run, [value, times]: readonly unknown[]): string {
  const [text, count] = [toText(run, value), Number(toInteger(run, times))];
  if (count < 0) throw run.error(`invalid argument for repeat (expected positive integer, got ${count})`);
  run.allot(Math.ceil((text.length * count) / 16));
  return text.repeat(count);
}

function join(run: Run, [value, separator]: readonly unknown[]): string {
  const glue = separator === undefined ? "" : toText(run, separator);
  const list = toList(run, value, "cannot join");
  run.spend(list.length);
  let length = 0;
  const texts = list.map((item) => {
    const text = toText(run, item);
    length += text.length + glue.length;
    return text;
  });
  run.allot(length >> 4);
  return texts.join(glue);
}

/** Positions count bytes of UTF-8. */
function position(run: Run, [value, wanted]: readonly unknown[], find: "indexOf" | "lastIndexOf"): bigint {
  const [text, part] = [toText(run, value), toText(run, wanted)];
  run.spend(text.length >> 4);
  const at = text[find](part);
  return BigInt(at < 0 ? -1 : Buffer.byteLength(text.slice(0, at)));
}

function fromBase64(run: Run, [value]: readonly unknown[]): string {
  const text = toText(run, value);
  run.allot(text.length >> 4);
  const wrong = text.search(/[^A-Za-z0-9+/]/);
  const body = text.replace(/={1,2}$/, "");
  if (text.length % 4 !== 0 || (wrong >= 0 && wrong < body.length)) {
    throw run.error(`illegal base64 data at input byte ${wrong < 0 || wrong >= body.length ? body.length : wrong}`);
  }
  return Buffer.from(text, "base64").toString();
}
