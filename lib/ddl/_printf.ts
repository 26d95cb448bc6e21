/** Fill a `printf` format that takes a text and a count, in that order. */
export function formatTwo(format: string, text: string, count: number): string {
  return fill(format, [text, count]);
}

/** Fill a `printf` format that takes one number. */
export function formatOne(format: string, value: number): string {
  return fill(format, [value]);
}

function fill(format: string, values: readonly (string | number)[]): string {
  let next = 0;
  return format.replace(/%(-?)(\d*)(?:\.(\d+))?([sdvfqg%])/g, (_all, left: string, width: string, digits, verb) => {
    if (verb === "%") return "%";
    const text = one(values[next++] ?? "", String(verb), digits === undefined ? undefined : Number(digits));
    return left === "" ? text.padStart(Number(width)) : text.padEnd(Number(width));
  });
}

function one(value: string | number, verb: string, digits: number | undefined): string {
  if (verb === "q") return JSON.stringify(String(value));
  if (verb === "f" && typeof value === "number") return value.toFixed(digits ?? 6);
  return String(value);
}
