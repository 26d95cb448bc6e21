/** Highest code point. */
export const MAX_CODE = 0x10ffff;

/** Code points as pairs of first and last, and tests for what is too large to list. */
export class CharClass {
  readonly #ranges: number[] = [];
  readonly #tests: ((code: number) => boolean)[] = [];
  #negated = false;
  #fold = false;
  #ascii: Uint8Array | undefined;

  /** A class of the given ranges. */
  static of(...ranges: readonly (readonly [number, number])[]): CharClass {
    const out = new CharClass();
    for (const [from, to] of ranges) out.addRange(from, to);
    return out;
  }

  /** Adds the code points from first to last. */
  addRange(from: number, to: number): void {
    this.#ranges.push(from, to);
  }

  /** Adds all members of another class. */
  addClass(other: CharClass): void {
    this.#tests.push((code) => other.has(code));
  }

  /** Adds what a test accepts. */
  addTest(test: (code: number) => boolean): void {
    this.#tests.push(test);
  }

  /** Turns the class into its complement. */
  negate(): this {
    this.#negated = !this.#negated;
    return this;
  }

  /** Makes the class ignore case. */
  foldCase(): this {
    this.#fold = true;
    return this;
  }

  /** The single code point the class consists of, undefined when there are more. */
  single(): number | undefined {
    const [from, to] = this.#ranges;
    const plain = !this.#negated && !this.#fold && this.#tests.length === 0 && this.#ranges.length === 2;
    return plain && from === to ? from : undefined;
  }

  /** Whether a code point is in the class. */
  has(code: number): boolean {
    if (code >= 128 || this.#isSimple()) return this.#test(code);
    this.#ascii ??= this.#table();
    return this.#ascii[code] === 1;
  }

  #isSimple(): boolean {
    return !this.#fold && this.#tests.length === 0 && this.#ranges.length <= 8;
  }

  #table(): Uint8Array {
    return Uint8Array.from({ length: 128 }, (_, code) => (this.#test(code) ? 1 : 0));
  }

  #test(code: number): boolean {
    const found = this.#member(code) || (this.#fold && foldsOf(code).some((other) => this.#member(other)));
    return found !== this.#negated;
  }

  #member(code: number): boolean {
    const ranges = this.#ranges;
    for (let i = 0; i < ranges.length; i += 2) {
      if (code >= (ranges[i] ?? 0) && code <= (ranges[i + 1] ?? -1)) return true;
    }
    return this.#tests.some((test) => test(code));
  }
}

const ODD_FOLDS: readonly (readonly number[])[] = [
  [0x4b, 0x6b, 0x212a],
  [0x53, 0x73, 0x17f],
  [0xc5, 0xe5, 0x212b],
  [0xb5, 0x39c, 0x3bc],
  [0xdf, 0x1e9e],
  [0x3a9, 0x3c9, 0x2126],
  [0x398, 0x3b8, 0x3d1, 0x3f4],
  [0x3a3, 0x3c2, 0x3c3],
];

/** The code points that differ from one only in case, itself included. */
export function foldsOf(code: number): number[] {
  const odd = ODD_FOLDS.find((group) => group.includes(code));
  if (odd !== undefined) return [...odd];
  const text = String.fromCodePoint(code);
  const out = [code];
  for (const other of [text.toLowerCase(), text.toUpperCase()]) {
    const point = other.codePointAt(0);
    if (point !== undefined && point !== code && String.fromCodePoint(point) === other) out.push(point);
  }
  return out;
}

const PERL: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  d: [[48, 57]],
  s: [
    [9, 10],
    [12, 13],
    [32, 32],
  ],
  w: [
    [48, 57],
    [65, 90],
    [95, 95],
    [97, 122],
  ],
};

/** The class of `\d`, `\s`, `\w` or, in upper case, its complement; undefined for other letters. */
export function perlClass(letter: string): CharClass | undefined {
  const ranges = PERL[letter.toLowerCase()];
  if (ranges === undefined) return undefined;
  const out = CharClass.of(...ranges);
  return letter === letter.toLowerCase() ? out : out.negate();
}

const POSIX: Readonly<Record<string, string>> = {
  alnum: "09AZaz",
  alpha: "AZaz",
  ascii: "\u0000\u007f",
  blank: "\t\t  ",
  cntrl: "\u0000\u001f\u007f\u007f",
  digit: "09",
  graph: "!~",
  lower: "az",
  print: " ~",
  punct: "!/:@[`{~",
  space: "\t\r  ",
  upper: "AZ",
  word: "09AZaz__",
  xdigit: "09AFaf",
};

/** The class of `[:name:]`; undefined for unknown names. */
export function posixClass(name: string): CharClass | undefined {
  const pairs = POSIX[name];
  if (pairs === undefined) return undefined;
  const out = new CharClass();
  for (let i = 0; i < pairs.length; i += 2) out.addRange(pairs.charCodeAt(i), pairs.charCodeAt(i + 1));
  return out;
}

/** The class of `\p{name}`, a general category or script; undefined for unknown names. */
export function unicodeClass(name: string): CharClass | undefined {
  const out = new CharClass();
  if (name === "Any") return CharClass.of([0, MAX_CODE]);
  const test = propertyTest(`\\p{gc=${name}}`) ?? propertyTest(`\\p{Script=${name}}`);
  if (test === undefined || !/^\w+$/.test(name)) return undefined;
  out.addTest(test);
  return out;
}

function propertyTest(property: string): ((code: number) => boolean) | undefined {
  try {
    const one = new RegExp(`^${property}$`, "u");
    return (code) => one.test(String.fromCodePoint(code));
  } catch {
    return undefined;
  }
}
