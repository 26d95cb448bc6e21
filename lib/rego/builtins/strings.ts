import type { Context } from "../context.ts";
import { NOWHERE, RegoError } from "../errors.ts";
import { valueText } from "../text.ts";
import { isArray, RegoSet, type RegoValue, typeName } from "../values.ts";
import { renderTemplate } from "./_gotemplate.ts";
import {
  type Args,
  any,
  arr,
  type Builtin,
  bad,
  type Family,
  fn,
  int,
  num,
  obj,
  operandError,
  searching,
  str,
  strings,
} from "./_kit.ts";
import { sprintf } from "./_sprintf.ts";

const SPACE = /[\s\u0085]/;

function trimmed(text: string, cut: string, left: boolean, right: boolean): string {
  const drop = new Set(cut);
  const chars = [...text];
  let start = 0;
  let end = chars.length;
  if (left) while (start < end && drop.has(chars[start] ?? "")) start++;
  if (right) while (end > start && drop.has(chars[end - 1] ?? "")) end--;
  return chars.slice(start, end).join("");
}

function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && SPACE.test(text[start] ?? "")) start++;
  while (end > start && SPACE.test(text[end - 1] ?? "")) end--;
  return text.slice(start, end);
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

function codePoints(text: string): number {
  let n = 0;
  for (const _ of text) n++;
  return n;
}

function indexOf(args: Args, c: Context): RegoValue {
  const [text, search] = [str(args, 0), str(args, 1)];
  searching(c, text, search);
  if (search === "") throw bad("empty search character");
  const at = text.indexOf(search);
  return at < 0 ? -1 : pointOffset(text, at);
}

function indexOfAll(args: Args, c: Context): RegoValue {
  const [text, search] = [str(args, 0), str(args, 1)];
  if (search === "") throw bad("empty search character");
  searching(c, text, search);
  const out: number[] = [];
  let points = 0;
  let counted = 0;
  for (let at = text.indexOf(search); at >= 0; at = text.indexOf(search, at + 1)) {
    points += codePoints(text.slice(counted, at));
    counted = at;
    out.push(points);
  }
  return out;
}

function countOf(args: Args, c: Context): number {
  const [text, search] = [str(args, 0), str(args, 1)];
  searching(c, text, search);
  return search === "" ? [...text].length + 1 : text.split(search).length - 1;
}

function formatInt(args: Args): RegoValue {
  const base = int(args, 1);
  const value = num(args, 0);
  if (![2, 8, 10, 16].includes(base)) throw operandError(1, "one of {2, 8, 10, 16}", "number");
  return (typeof value === "bigint" ? value : Math.trunc(value)).toString(base);
}

function replaceText(args: Args, c: Context): string {
  const [text, from, to] = [str(args, 0), str(args, 1), str(args, 2)];
  c.meter.make(countOf(args, c) * to.length);
  return text.replaceAll(from, () => to);
}

function replaceAll(args: Args, c: Context): RegoValue {
  const pairs = obj(args, 0)
    .entries()
    .map(([from, to]): readonly [string, string] => {
      if (typeof from !== "string") throw operandError1("non-string key found in pattern object");
      if (typeof to !== "string") throw operandError1("non-string value found in pattern object");
      return [from, to];
    });
  const text = str(args, 1);
  c.meter.tick(1 + (text.length * pairs.length) / 64);
  let out = "";
  for (let i = 0; i < text.length; ) {
    const hit = pairs.find(([from]) => from !== "" && text.startsWith(from, i));
    out += hit === undefined ? (text[i] ?? "") : hit[1];
    if (hit !== undefined) c.meter.make(hit[1].length);
    i += hit === undefined ? 1 : hit[0].length;
  }
  return out;
}

function operandError1(what: string): Error {
  const error = operandError(0, "", "");
  error.message = `operand 1 ${what}`;
  return error;
}

function anyMatch(how: (text: string, part: string) => boolean): Builtin["code"] {
  const list = (args: Args, i: number): string[] => {
    const value = any(args, i);
    return typeof value === "string" ? [value] : strings(args, i, "one of {string, set, array}");
  };
  return (args, c) => {
    const [texts, parts] = [list(args, 0), list(args, 1)];
    c.meter.tick(1 + (texts.length * parts.length) / 16);
    return texts.some((text) => parts.some((part) => how(text, part)));
  };
}

function template(args: Args): RegoValue {
  return arr(args, 0)
    .map((part) => {
      if (typeof part === "string") return part;
      if (!(part instanceof RegoSet)) return valueText(part);
      const [first, second] = part.values();
      if (second !== undefined)
        throw RegoError.at("eval_conflict_error", "template-strings must not produce multiple outputs", NOWHERE);
      if (first === undefined) return "<undefined>";
      return typeof first === "string" ? first : valueText(first);
    })
    .join("");
}

function formatted(args: Args, c: Context): RegoValue {
  const list = any(args, 1);
  if (!isArray(list)) throw operandError(1, "array", typeName(list));
  return sprintf(str(args, 0), list, (bytes) => c.meter.make(bytes));
}

/** Strings. */
export const STRINGS: Family = {
  concat: fn(2, (a) => strings(a, 1).join(str(a, 0))),
  contains: fn(2, (a, c) => {
    searching(c, str(a, 0), str(a, 1));
    return str(a, 0).includes(str(a, 1));
  }),
  startswith: fn(2, (a) => str(a, 0).startsWith(str(a, 1))),
  endswith: fn(2, (a) => str(a, 0).endsWith(str(a, 1))),
  format_int: fn(2, formatInt),
  indexof: fn(2, indexOf),
  indexof_n: fn(2, indexOfAll),
  lower: fn(1, (a) => str(a, 0).toLowerCase()),
  upper: fn(1, (a) => str(a, 0).toUpperCase()),
  replace: fn(3, replaceText),
  split: fn(2, (a, c) => {
    searching(c, str(a, 0), str(a, 1));
    return str(a, 1) === "" ? [...str(a, 0)] : str(a, 0).split(str(a, 1));
  }),
  sprintf: fn(2, formatted),
  substring: fn(3, substring),
  trim: fn(2, (a) => trimmed(str(a, 0), str(a, 1), true, true)),
  trim_left: fn(2, (a) => trimmed(str(a, 0), str(a, 1), true, false)),
  trim_right: fn(2, (a) => trimmed(str(a, 0), str(a, 1), false, true)),
  trim_prefix: fn(2, (a) => (str(a, 0).startsWith(str(a, 1)) ? str(a, 0).slice(str(a, 1).length) : str(a, 0))),
  trim_suffix: fn(2, (a) =>
    str(a, 0).endsWith(str(a, 1)) ? str(a, 0).slice(0, str(a, 0).length - str(a, 1).length) : str(a, 0),
  ),
  trim_space: fn(1, (a) => trimSpace(str(a, 0))),
  "strings.count": fn(2, countOf),
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
  "strings.render_template": fn(2, (a, c) => renderTemplate(str(a, 0), obj(a, 1), (work) => c.meter.make(work))),
  "internal.template_string": fn(1, template),
};
