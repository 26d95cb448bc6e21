import { typeName } from "./_kinds.ts";
import { toInteger } from "./_operators.ts";
import type { Run } from "./_run.ts";
import { isMap, mapGet } from "./values.ts";

/** A field, an element or an entry of a value; nil where a map has no such key. */
export function fetch(run: Run, whole: unknown, key: unknown): unknown {
  if (Array.isArray(whole)) return whole[index(run, whole.length, key)] as unknown;
  if (typeof whole === "string") return letter(run, whole, key);
  if (whole instanceof Uint8Array) return BigInt(whole[index(run, whole.length, key)] ?? 0);
  if (!isMap(whole)) throw run.error(`cannot fetch ${keyText(key)} from ${typeName(whole)}`);
  if (!(whole instanceof Map) && typeof key !== "string") {
    throw run.error(`cannot use ${typeName(key)} to get an element from ${typeName(whole)}`);
  }
  return mapGet(whole, key) ?? null;
}

function letter(run: Run, text: string, key: unknown): bigint {
  const bytes = Buffer.from(text);
  run.spend(bytes.length >> 6);
  return BigInt(bytes[index(run, bytes.length, key)] ?? 0);
}

function keyText(key: unknown): string {
  return typeof key === "string" || typeof key === "bigint" || typeof key === "number" ? String(key) : typeName(key);
}

/** An index from the start; negative ones count from the end. */
function index(run: Run, length: number, key: unknown): number {
  const given = Number(toInteger(run, key));
  const at = given < 0 ? given + length : given;
  if (at >= 0 && at < length) return at;
  throw run.error(`index out of range: ${at} (array length is ${length})`);
}

/** Part of a list or of a text's bytes; bounds outside of it are moved to its ends. */
export function slice(run: Run, whole: unknown, from: unknown, to: unknown): unknown {
  if (typeof whole === "string") {
    const bytes = Buffer.from(whole);
    run.spend(bytes.length >> 4);
    return run.text(bytes.subarray(...bounds(run, bytes.length, from, to)).toString());
  }
  if (!Array.isArray(whole)) throw run.error(`cannot slice ${typeName(whole)}`);
  const [start, end] = bounds(run, whole.length, from, to);
  return run.list(whole.slice(start, end) as unknown[]);
}

function bounds(run: Run, length: number, from: unknown, to: unknown): [number, number] {
  const start = from === undefined ? 0 : bound(run, length, from);
  const end = to === undefined ? length : bound(run, length, to);
  return [Math.min(start, end), end];
}

function bound(run: Run, length: number, value: unknown): number {
  const given = Number(toInteger(run, value));
  return Math.max(0, Math.min(length, given < 0 ? given + length : given));
}
