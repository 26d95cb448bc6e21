import { Cron } from "croner";

interface Field {
  min: number;
  max: number;
  /** Names of the values, from the smallest on. */
  names: readonly string[];
}

const fields: readonly Field[] = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: "jan feb mar apr may jun jul aug sep oct nov dec".split(" ") },
  { min: 0, max: 6, names: "sun mon tue wed thu fri sat".split(" ") },
];

interface Values {
  all: ReadonlySet<number>;
  /** Whether a part of the field is `*` or `?`, alone or with a step. */
  hasStar: boolean;
}

/** Times at which something is to happen: `minute hour day month weekday`, in local time. */
export class CronSchedule {
  readonly #cron: Cron | undefined;

  /**
   * Days and weekdays that are both given are alternatives; where either is `*` or `?`, with a step too, both have to
   * hold.
   *
   * @throws {SyntaxError} with the texts that peers know, for example `End of range (60) above maximum (59): 60`.
   */
  constructor(spec: string) {
    if (spec === "") throw new SyntaxError("Empty spec string");
    const texts = spec.split(/\s+/).filter((text) => text !== "");
    if (texts.length !== fields.length) {
      throw new SyntaxError(`Expected exactly ${fields.length} fields, found ${texts.length}: ${spec}`);
    }
    const values = fields.map((field, index) => readField(texts[index] ?? "", field));
    // A field may hold nothing but commas; then its time never comes.
    if (values.some(({ all }) => all.size === 0)) return;
    const [, , days, , weekdays] = values;
    const domAndDow = days?.hasStar === true || weekdays?.hasStar === true;
    const pattern = values.map(({ all }) => [...all].sort((a, b) => a - b).join(",")).join(" ");
    this.#cron = new Cron(pattern, { paused: true, domAndDow });
  }

  /** The first time after a moment, both in milliseconds since the epoch; undefined for never. */
  next(after: number): number | undefined {
    return this.#cron?.nextRun(new Date(after))?.getTime();
  }

  /** The last time up to a moment; undefined for never. */
  previous(upTo: number): number | undefined {
    return this.#cron?.previousRuns(1, new Date(upTo + 1))[0]?.getTime();
  }
}

function readField(text: string, field: Field): Values {
  const ranges = text
    .split(",")
    .filter((part) => part !== "")
    .map((part) => readRange(part, field));
  return {
    all: new Set(ranges.flatMap(({ all }) => [...all])),
    hasStar: ranges.some(({ hasStar }) => hasStar),
  };
}

function readRange(text: string, field: Field): Values {
  const parts = text.split("/");
  const bounds = (parts[0] ?? "").split("-");
  const hasStar = bounds[0] === "*" || bounds[0] === "?";
  const first = hasStar ? field.min : readValue(bounds[0] ?? "", field);
  if (!hasStar && bounds.length > 2) throw new SyntaxError(`Too many hyphens: ${text}`);
  const last = hasStar ? field.max : bounds.length === 2 ? readValue(bounds[1] ?? "", field) : first;
  if (parts.length > 2) throw new SyntaxError(`Too many slashes: ${text}`);
  const step = parts.length === 2 ? readNumber(parts[1] ?? "") : 1;
  const end = parts.length === 2 && bounds.length === 1 ? field.max : last;
  if (first < field.min) {
    throw new SyntaxError(`Beginning of range (${first}) below minimum (${field.min}): ${text}`);
  }
  if (end > field.max) throw new SyntaxError(`End of range (${end}) above maximum (${field.max}): ${text}`);
  if (first > end) throw new SyntaxError(`Beginning of range (${first}) beyond end of range (${end}): ${text}`);
  if (step === 0) throw new SyntaxError(`Step of range should be a positive number: ${text}`);
  const all = new Set<number>();
  for (let value = first; value <= end; value += step) all.add(value);
  return { all, hasStar };
}

function readValue(text: string, { min, names }: Field): number {
  const index = names.indexOf(text.toLowerCase());
  return index < 0 ? readNumber(text) : min + index;
}

function readNumber(text: string): number {
  const number = /^[+-]?[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(number)) {
    throw new SyntaxError(`Failed to parse int from ${text}: strconv.Atoi: parsing "${text}": invalid syntax`);
  }
  if (number < 0) throw new SyntaxError(`Negative number (${number}) not allowed: ${text}`);
  return number;
}
