import { normalizeInteger } from "../_scalars.ts";
import { valueText } from "../text.ts";
import { isArray, RegoObject, RegoSet, type RegoValue, typeName } from "../values.ts";
import { type Args, any, arr, bad, type Family, fn, int, num, obj, operandError, str, strings } from "./_kit.ts";
import { sprintf } from "./_sprintf.ts";

const SPACE = /^[\t\n\v\f\r \u0085\p{Z}]+|[\t\n\v\f\r \u0085\p{Z}]+$/gu;

function trimmed(text: string, cut: string, left: boolean, right: boolean): string {
  const drop = new Set(cut);
  const chars = [...text];
  let start = 0;
  let end = chars.length;
  if (left) while (start < end && drop.has(chars[start] ?? "")) start++;
  if (right) while (end > start && drop.has(chars[end - 1] ?? "")) end--;
  return chars.slice(start, end).join("");
}

function substring(args: Args): RegoValue {
  const chars = [...str(args, 0)];
  const [start, length] = [int(args, 1), int(args, 2)];
  if (start < 0) throw bad("negative offset");
  return chars.slice(start, length < 0 ? undefined : start + length).join("");
}

function pointOffset(text: string, unit: number): number {
  return [...text.slice(0, unit)].length;
}

function indexOf(args: Args): RegoValue {
  const [text, search] = [str(args, 0), str(args, 1)];
  if (search === "") throw bad("empty search character");
  const at = text.indexOf(search);
  return at < 0 ? -1 : pointOffset(text, at);
}

function indexOfAll(args: Args): RegoValue {
  const [text, search] = [str(args, 0), str(args, 1)];
  if (search === "") throw bad("empty search character");
  const [chars, wanted] = [[...text], [...search]];
  const out: number[] = [];
  for (let i = 0; i + wanted.length <= chars.length; i++)
    if (wanted.every((char, j) => chars[i + j] === char)) out.push(i);
  return out;
}

function countOf(text: string, search: string): number {
  return search === "" ? [...text].length + 1 : text.split(search).length - 1;
}

function formatInt(args: Args): RegoValue {
  const base = int(args, 1);
  const value = num(args, 0);
  if (![2, 8, 10, 16].includes(base)) throw operandError(1, "one of {2, 8, 10, 16}", "number");
  return (typeof value === "bigint" ? value : Math.trunc(value)).toString(base);
}

function replaceAll(args: Args): RegoValue {
  const pairs = obj(args, 0)
    .entries()
    .map(([from, to]): readonly [string, string] => {
      if (typeof from !== "string") throw operandError1("non-string key found in pattern object");
      if (typeof to !== "string") throw operandError1("non-string value found in pattern object");
      return [from, to];
    });
  const text = str(args, 1);
  let out = "";
  for (let i = 0; i < text.length; ) {
    const hit = pairs.find(([from]) => from !== "" && text.startsWith(from, i));
    out += hit === undefined ? (text[i] ?? "") : hit[1];
    i += hit === undefined ? 1 : hit[0].length;
  }
  return out;
}

function operandError1(what: string): Error {
  const error = operandError(0, "", "");
  error.message = `operand 1 ${what}`;
  return error;
}

function anyMatch(how: (text: string, part: string) => boolean): (args: Args) => RegoValue {
  const list = (args: Args, i: number): string[] => {
    const value = any(args, i);
    return typeof value === "string" ? [value] : strings(args, i, "one of {string, set, array}");
  };
  return (args) => {
    const [texts, parts] = [list(args, 0), list(args, 1)];
    return texts.some((text) => parts.some((part) => how(text, part)));
  };
}

function template(args: Args): RegoValue {
  return arr(args, 0)
    .map((part) => {
      if (typeof part === "string") return part;
      if (!(part instanceof RegoSet)) return valueText(part);
      const [first, second] = part.values();
      if (second !== undefined) throw bad("template expressions must not produce multiple outputs");
      if (first === undefined) return "<undefined>";
      return typeof first === "string" ? first : valueText(first);
    })
    .join("");
}

function formatted(args: Args): RegoValue {
  const list = any(args, 1);
  if (!isArray(list)) throw operandError(1, "array", typeName(list));
  return sprintf(str(args, 0), list);
}

const PLACEHOLDER = /\{\{-?\s*(?:\.([\w.]*)|range\s+[^}]*|[^}]*)\s*-?\}\}/g;

/** Fills `{{.name}}` fields; other actions of Go's template language are refused. */
function renderTemplate(args: Args): RegoValue {
  const vars = obj(args, 1);
  return str(args, 0).replace(PLACEHOLDER, (action: string, path: string | undefined) => {
    if (path === undefined) throw bad(`unsupported template action ${action}`);
    let value: RegoValue | undefined = vars;
    for (const name of path.split(".").filter((each) => each !== "")) {
      value = value instanceof RegoObject ? value.get(name) : undefined;
    }
    if (value === undefined) throw bad(`map has no entry for key ${JSON.stringify(path)}`);
    return typeof value === "string" ? value : valueText(value);
  });
}

/** Strings. */
export const STRINGS: Family = {
  concat: fn(2, (a) => strings(a, 1).join(str(a, 0))),
  contains: fn(2, (a) => str(a, 0).includes(str(a, 1))),
  startswith: fn(2, (a) => str(a, 0).startsWith(str(a, 1))),
  endswith: fn(2, (a) => str(a, 0).endsWith(str(a, 1))),
  format_int: fn(2, formatInt),
  indexof: fn(2, indexOf),
  indexof_n: fn(2, indexOfAll),
  lower: fn(1, (a) => str(a, 0).toLowerCase()),
  upper: fn(1, (a) => str(a, 0).toUpperCase()),
  replace: fn(3, (a) => str(a, 0).replaceAll(str(a, 1), () => str(a, 2))),
  split: fn(2, (a) => (str(a, 1) === "" ? [...str(a, 0)] : str(a, 0).split(str(a, 1)))),
  sprintf: fn(2, formatted),
  substring: fn(3, substring),
  trim: fn(2, (a) => trimmed(str(a, 0), str(a, 1), true, true)),
  trim_left: fn(2, (a) => trimmed(str(a, 0), str(a, 1), true, false)),
  trim_right: fn(2, (a) => trimmed(str(a, 0), str(a, 1), false, true)),
  trim_prefix: fn(2, (a) => (str(a, 0).startsWith(str(a, 1)) ? str(a, 0).slice(str(a, 1).length) : str(a, 0))),
  trim_suffix: fn(2, (a) =>
    str(a, 0).endsWith(str(a, 1)) ? str(a, 0).slice(0, str(a, 0).length - str(a, 1).length) : str(a, 0),
  ),
  trim_space: fn(1, (a) => str(a, 0).replace(SPACE, "")),
  "strings.count": fn(2, (a) => normalizeInteger(BigInt(countOf(str(a, 0), str(a, 1))))),
  "strings.reverse": fn(1, (a) => [...str(a, 0)].reverse().join("")),
  "strings.replace_n": fn(2, replaceAll),
  "strings.any_prefix_match": fn(
    2,
    anyMatch((text, part) => text.startsWith(part)),
  ),
  "strings.any_suffix_match": fn(
    2,
    anyMatch((text, part) => text.endsWith(part)),
  ),
  "strings.render_template": fn(2, renderTemplate),
  "internal.template_string": fn(1, template),
};
