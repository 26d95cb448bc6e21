import { compileRe2, quoteRe2, type Re2 } from "../../re2/mod.ts";
import type { Context } from "../context.ts";
import type { RegoValue } from "../values.ts";
import { globSource } from "./_glob.ts";
import { globsMeet } from "./_globs_match.ts";
import { type Args, any, arr, attempt, bad, type Family, fn, int, old, str, strings } from "./_kit.ts";

const MAX_KEPT = 100;

/** A compiled pattern, kept for later evaluations of the same policy. */
function pattern(c: Context, source: string): Re2 {
  const known = c.shared.patterns.get(source);
  if (known !== undefined) return known;
  const made = compile(source);
  if (c.shared.patterns.size >= MAX_KEPT) c.shared.patterns.clear();
  c.shared.patterns.set(source, made);
  return made;
}

function compile(source: string): Re2 {
  try {
    return compileRe2(source);
  } catch (error) {
    throw bad(error instanceof Error ? error.message : String(error));
  }
}

function meterOf(c: Context): (work: number) => void {
  return (work) => c.meter.tick(1 + (work >> 3));
}

function match(args: Args, c: Context): boolean {
  return pattern(c, str(args, 0)).test(str(args, 1), meterOf(c));
}

function findSubmatches(args: Args, c: Context): RegoValue {
  return pattern(c, str(args, 0))
    .findAllSubmatch(str(args, 1), int(args, 2), meterOf(c))
    .map(({ groups }) => groups.map((group) => group ?? ""));
}

function templateMatch(args: Args, c: Context): boolean {
  const [template, text, open, close] = [str(args, 0), str(args, 1), str(args, 2), str(args, 3)];
  if ([...open].length !== 1 || [...close].length !== 1) throw bad("delimiters must be single characters");
  return pattern(c, templateSource(template, open, close)).test(text, meterOf(c));
}

/** Text outside of the delimiters is taken as it is, inside as a pattern; delimiters may nest. */
function templateSource(template: string, open: string, close: string): string {
  let out = "";
  let depth = 0;
  let part = "";
  for (const char of template) {
    if (char === open && depth++ === 0) {
      out += quoteRe2(part);
      part = "";
    } else if (char === close && --depth === 0) {
      out += `(${part})`;
      part = "";
    } else part += char;
    if (depth < 0) break;
  }
  if (depth !== 0) throw bad(`unbalanced braces in ${JSON.stringify(template)}`);
  return `^${out}${quoteRe2(part)}$`;
}

function globMatch(args: Args, c: Context): boolean {
  const given = any(args, 1);
  const delimiters = given === null ? [] : strings([arr(args, 1)], 0);
  const used = given === null ? [] : delimiters.length === 0 ? ["."] : delimiters;
  const key = `glob ${JSON.stringify([str(args, 0), used])}`;
  const known = c.shared.patterns.get(key);
  if (known !== undefined) return known.test(str(args, 2), meterOf(c));
  const made = compile(globSource(str(args, 0), used));
  if (c.shared.patterns.size >= MAX_KEPT) c.shared.patterns.clear();
  c.shared.patterns.set(key, made);
  return made.test(str(args, 2), meterOf(c));
}

/** Regular expressions and globs. */
export const PATTERNS: Family = {
  "regex.match": fn(2, match),
  re_match: old(2, match),
  "regex.is_valid": fn(1, (a) => {
    const source = any(a, 0);
    return typeof source === "string" && attempt(() => compileRe2(source)) !== undefined;
  }),
  "regex.split": fn(2, (a, c) => pattern(c, str(a, 0)).split(str(a, 1), -1, meterOf(c))),
  "regex.find_n": fn(3, (a, c) => pattern(c, str(a, 0)).findAll(str(a, 1), int(a, 2), meterOf(c))),
  "regex.find_all_string_submatch_n": fn(3, findSubmatches),
  "regex.replace": fn(3, (a, c) => pattern(c, str(a, 1)).replaceAll(str(a, 0), str(a, 2), meterOf(c))),
  "regex.template_match": fn(4, templateMatch),
  "regex.globs_match": fn(2, (a) => globsMeet(str(a, 0), str(a, 1))),
  "glob.match": fn(3, globMatch),
  "glob.quote_meta": fn(1, (a) => str(a, 0).replace(/[*?\\[\]{}]/g, "\\$&")),
};
