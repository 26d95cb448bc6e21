import { lookup } from "../expr/mod.ts";
import { isObject, isStringList, type JsonObject } from "../std/mod.ts";
import { parseTemplate, renderTemplate, TemplateFault, type TemplateModel } from "../template/mod.ts";
import { goCompare, goSprintf, goText, goTruth, goType } from "./_go_values.ts";

/** What templates of a machine may look up. */
export interface TemplateInput {
  readonly facts: Readonly<JsonObject>;
  readonly data: Readonly<JsonObject>;
}

/** A function of a template. Its faults are thrown as TemplateFault. */
export type TemplateFunction = (args: readonly unknown[]) => unknown;

/** Most characters that a template may become. */
const maxOutput = 1024 * 1024;

/**
 * Fill in a template of Go's text/template language, in which `lookup PATH DEFAULT` gives what stands at a GJSON path
 * of `facts` or `data`.
 *
 * @throws {Error} `template: machine:LINE:COLUMN: …` naming what is wrong.
 */
export function renderMachineTemplate(template: string, input: TemplateInput): string {
  return renderWith(template, { lookup: (args) => lookUp(input, args) });
}

/**
 * Fill in a template that has functions of its own beside those of the language.
 *
 * @param quote Applied to what actions show, but not to the template's own text.
 * @throws {Error} as {@link renderMachineTemplate} does.
 */
export function renderWith(
  template: string,
  own: Readonly<Record<string, TemplateFunction>>,
  quote: (text: string) => string = (text) => text,
): string {
  const all: Readonly<Record<string, TemplateFunction>> = { ...functions, ...own };
  let made = 0;
  return renderTemplate<unknown>(
    parseTemplate("machine", template, (name) => Object.hasOwn(all, name)),
    {
      ...model,
      show: (value) => quote(model.show(value)),
      call: (name, args) => all[name]?.(args),
      made(characters) {
        made += characters;
        if (made > maxOutput) throw new TemplateFault(`it becomes longer than ${maxOutput} characters`);
      },
    },
    null,
  );
}

function lookUp({ facts, data }: TemplateInput, [path, otherwise]: readonly unknown[]): unknown {
  const found = lookup({ facts, data }, textOf(path));
  return found === undefined ? otherwise : found;
}

const model: Omit<TemplateModel<unknown>, "call"> = {
  literal: (value) => value,
  isTrue: goTruth,
  show: (value) => (value === null || value === undefined ? "<no value>" : goText(value)),
  field(value, name) {
    if (value === null) return null;
    if (!isObject(value)) throw new TemplateFault(`can't evaluate field ${name} in type ${goType(value)}`);
    return Object.hasOwn(value, name) ? value[name] : null;
  },
  entries(value) {
    if (Array.isArray(value)) return value.map((item, index) => [BigInt(index), item]);
    if (isObject(value)) return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    if (value === null) return [];
    throw new TemplateFault(`range can't iterate over ${goText(value)}`);
  },
  checkCall(name, count) {
    const wanted = argumentCounts[name];
    if (wanted === undefined || wanted === count) return;
    throw new TemplateFault(`wrong number of args for ${name}: want ${wanted} got ${count}`);
  },
};

const argumentCounts: Readonly<Record<string, number>> = {
  lookup: 2,
  o: 2,
  Title: 1,
  Capitalize: 1,
  ToLower: 1,
  ToUpper: 1,
  StringsJoin: 1,
  Base64Encode: 1,
  Base64Decode: 1,
  len: 1,
  not: 1,
};

const ofText =
  (change: (text: string) => string): TemplateFunction =>
  ([text]) =>
    change(textOf(text));

const compared =
  (name: string, test: (order: number) => boolean): TemplateFunction =>
  ([a, ...others]) =>
    others.some((b) => test(goCompare(name, a, b)));

const functions: Readonly<Record<string, TemplateFunction>> = {
  Title: ofText((text) => text.replace(/(?<![\p{L}\p{N}_'])\p{L}/gu, (letter) => letter.toUpperCase())),
  Capitalize: ofText((text) => text.slice(0, 1).toUpperCase() + text.slice(1).toLowerCase()),
  ToLower: ofText((text) => text.toLowerCase()),
  ToUpper: ofText((text) => text.toUpperCase()),
  StringsJoin: ([list]) => textsOf(list).join(", "),
  Base64Encode: ofText((text) => Buffer.from(text).toString("base64")),
  Base64Decode: ofText(base64Decoded),
  print: (args) => args.map(goText).join(args.some((each) => typeof each === "string") ? "" : " "),
  println: (args) => `${args.map(goText).join(" ")}\n`,
  printf: ([format, ...args]) => goSprintf(textOf(format), args),
  len: ([value]) => BigInt(lengthOf(value)),
  index: ([value, ...keys]) => keys.reduce(indexed, value),
  not: ([value]) => !goTruth(value),
  and: (args) => args.find((each) => !goTruth(each)) ?? args.at(-1),
  or: (args) => args.find(goTruth) ?? args.at(-1),
  eq: compared("eq", (order) => order === 0),
  ne: compared("ne", (order) => order !== 0),
  lt: compared("lt", (order) => order < 0),
  le: compared("le", (order) => order <= 0),
  gt: compared("gt", (order) => order > 0),
  ge: compared("ge", (order) => order >= 0),
  urlquery: (args) => encodeURIComponent(args.map(goText).join("")).replaceAll("%20", "+"),
  html: (args) =>
    args
      .map(goText)
      .join("")
      .replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`),
};

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  throw new TemplateFault(`wrong type for value; expected string; got ${goType(value)}`);
}

function textsOf(value: unknown): string[] {
  if (isStringList(value)) return value;
  throw new TemplateFault(`wrong type for value; expected []string; got ${goType(value)}`);
}

function base64Decoded(text: string): string {
  const at = text.search(/[^A-Za-z0-9+/=\r\n]/);
  if (at >= 0) throw new TemplateFault(`error calling Base64Decode: illegal base64 data at input byte ${at}`);
  return Buffer.from(text, "base64").toString();
}

function lengthOf(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (isObject(value)) return Object.keys(value).length;
  throw new TemplateFault(`error calling len: len of type ${goType(value)}`);
}

function indexed(value: unknown, key: unknown): unknown {
  if (Array.isArray(value) && typeof key === "bigint") {
    if (key < 0n || key >= BigInt(value.length))
      throw new TemplateFault(`error calling index: index out of range: ${key}`);
    return value[Number(key)];
  }
  if (isObject(value) && typeof key === "string") return Object.hasOwn(value, key) ? value[key] : null;
  throw new TemplateFault(`error calling index: can't index item of type ${goType(value)}`);
}
