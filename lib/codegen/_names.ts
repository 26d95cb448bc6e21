/** Words of a snake-case name joined, each with a capital: `get_fact` becomes `GetFact`. */
export function pascal(name: string): string {
  const joined = name
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
  return /^\d/.test(joined) ? `Agent${joined}` : joined;
}

/** The same with a small first letter: `getFact`. */
export function camel(name: string): string {
  const joined = pascal(name);
  return joined.charAt(0).toLowerCase() + joined.slice(1);
}

/** Order of names, numbers in them by their value, as formatters sort imports. */
export function byName(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)];
  for (const [at, part] of left.entries()) {
    const other = right[at];
    if (other === undefined) return 1;
    if (part === other) continue;
    const areNumbers = /^\d/.test(part) && /^\d/.test(other);
    return areNumbers && Number(part) !== Number(other) ? Number(part) - Number(other) : part < other ? -1 : 1;
  }
  return left.length - right.length;
}

function parts(name: string): string[] {
  return name.toLowerCase().match(/\d+|\D/g) ?? [];
}
