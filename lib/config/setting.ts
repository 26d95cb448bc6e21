import { resolve } from "node:path";
import { errorText, parseDuration } from "../std/mod.ts";

/** What a value's text is turned into. */
export interface SettingContext {
  /** The user's home folder, which a leading `~` stands for. */
  home: string;
}

/** One key of the catalogue: its type, default and meaning. */
export interface Setting<T> {
  /** Name of the type, for people. */
  readonly type: string;
  /** The default as it would be written in a file; undefined when unset by default. */
  readonly defaultText?: string;
  readonly doc: string;
  /** Environment variable that replaces the value. */
  readonly env?: string;
  /** What joins the texts of a key that is set more than once; undefined where the last one counts. */
  readonly joint?: string;
  /**
   * Turn text into the value.
   * @throws {TypeError} saying what was expected.
   */
  read(text: string, context: SettingContext): T;
  /** What is given where nothing is set. */
  absent(context: SettingContext): T;
}

/** More about a setting. */
export interface SettingExtras {
  env?: string;
  joint?: string;
}

/** Free text. */
export function text(fallback: string, doc: string, extras: SettingExtras = {}): Setting<string> {
  return make("string", fallback, doc, (value) => value, fallback, extras);
}

/** A path; a leading `~` is the home folder. Relative ones are relative to the working folder. Empty is unset. */
export function path(doc: string, extras: SettingExtras = {}): Setting<string> {
  return make("path", undefined, doc, (value, { home }) => expandPath(value, home), "", extras);
}

/** A log destination: a path, or `stdout`, `stderr`, `discard`. */
export function logPath(fallback: string, doc: string): Setting<string> {
  const special = ["stdout", "stderr", "discard"];
  return make("path", fallback, doc, (v, { home }) => (special.includes(v) ? v : expandPath(v, home)), fallback, {});
}

/** A whole number. */
export function integer(fallback: number, doc: string, extras: SettingExtras = {}): Setting<number> {
  const read = (value: string) => {
    if (!/^[+-]?\d+$/.test(value)) throw new TypeError("expected a whole number");
    return Number(value);
  };
  return make("integer", String(fallback), doc, read, fallback, extras);
}

/** True (`1 yes true y t`) or false (`0 no false n f`), in any case. */
export function boolean(fallback: boolean, doc: string, extras: SettingExtras = {}): Setting<boolean> {
  return make("boolean", fallback ? "true" : "false", doc, readBoolean, fallback, extras);
}

/** A duration, in milliseconds; digits alone are seconds. */
export function duration(fallback: string, doc: string, extras: SettingExtras = {}): Setting<number> {
  const read = (value: string) => {
    try {
      return parseDuration(value, { bareSeconds: true });
    } catch (error) {
      throw new TypeError(errorText(error));
    }
  };
  return make("duration", fallback, doc, read, read(fallback), extras);
}

/** Items separated by commas. */
export function commaList(fallback: string, doc: string, extras: SettingExtras = {}): Setting<string[]> {
  const read = (value: string) =>
    value
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "");
  return make("comma list", fallback === "" ? undefined : fallback, doc, read, read(fallback), extras);
}

/** Items of which each has a line of its own: the key is set once for each. */
export function lineList(doc: string): Setting<string[]> {
  const read = (value: string) => value.split("\n");
  return make("list, an item a line", undefined, doc, read, [], { joint: "\n" });
}

/** Paths separated by colons; those of a key that is set more than once are added up. */
export function pathList(doc: string, extras: SettingExtras = {}): Setting<string[]> {
  const read = (value: string, { home }: SettingContext) =>
    value
      .split(":")
      .filter((item) => item.trim() !== "")
      .map((item) => expandPath(item, home));
  return make("path list", undefined, doc, read, [], { joint: ":", ...extras });
}

/** One of a few words. */
export function choice<const T extends string>(words: readonly T[], fallback: NoInfer<T>, doc: string): Setting<T> {
  const read = (value: string) => {
    const found = words.find((word) => word === value);
    if (found === undefined) throw new TypeError(`expected one of ${words.join(", ")}`);
    return found;
  };
  return make(`one of ${words.join(", ")}`, fallback, doc, read, fallback, {});
}

function readBoolean(value: string): boolean {
  if (/^(1|yes|true|y|t)$/i.test(value)) return true;
  if (/^(0|no|false|n|f)$/i.test(value)) return false;
  throw new TypeError("expected true or false");
}

function expandPath(value: string, home: string): string {
  const trimmed = value.trim();
  const isHome = trimmed === "~" || trimmed.startsWith("~/");
  return trimmed === "" ? "" : resolve(isHome ? home + trimmed.slice(1) : trimmed);
}

function make<T>(
  type: string,
  defaultText: string | undefined,
  doc: string,
  read: (text: string, context: SettingContext) => T,
  absent: T,
  extras: SettingExtras,
): Setting<T> {
  return {
    type,
    doc,
    read,
    absent: () => absent,
    ...(defaultText === undefined ? {} : { defaultText }),
    ...(extras.env === undefined ? {} : { env: extras.env }),
    ...(extras.joint === undefined ? {} : { joint: extras.joint }),
  };
}
