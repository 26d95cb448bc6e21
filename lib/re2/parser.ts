import { CharClass, foldsOf, MAX_CODE, perlClass, posixClass, unicodeClass } from "./char_class.ts";
import { type Node, Re2Error, type Syntax } from "./syntax.ts";

const MAX_REPEAT = 1000;
const MAX_DEPTH = 200;
const CONTROL: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };

interface Flags {
  fold: boolean;
  multi: boolean;
  dotAll: boolean;
  lazy: boolean;
}

/** Parses a pattern in the syntax of RE2. */
export function parsePattern(pattern: string, fold: boolean): Syntax {
  return new PatternParser(pattern, fold).parse();
}

class PatternParser {
  readonly #pattern: string;
  readonly #groups: string[] = [""];
  #flags: Flags;
  #pos = 0;
  #depth = 0;

  constructor(pattern: string, fold: boolean) {
    this.#pattern = pattern;
    this.#flags = { fold, multi: false, dotAll: false, lazy: false };
  }

  parse(): Syntax {
    const node = this.#alternatives();
    if (this.#pos < this.#pattern.length) this.#fail(`unexpected ): \`${this.#pattern}\``);
    return { node, groups: this.#groups };
  }

  #fail(problem: string, at = this.#pos): never {
    throw new Re2Error(problem, this.#pattern, at);
  }

  #peek(): string {
    return this.#pattern[this.#pos] ?? "";
  }

  #take(text: string): boolean {
    if (!this.#pattern.startsWith(text, this.#pos)) return false;
    this.#pos += text.length;
    return true;
  }

  #code(): number {
    const code = this.#pattern.codePointAt(this.#pos) ?? 0;
    this.#pos += code > 0xffff ? 2 : 1;
    return code;
  }

  #alternatives(): Node {
    if (++this.#depth > MAX_DEPTH) this.#fail("expression nests too deeply");
    const nodes = [this.#sequence()];
    while (this.#take("|")) nodes.push(this.#sequence());
    this.#depth--;
    return nodes.length === 1 ? (nodes[0] ?? { t: "empty" }) : { t: "alternate", nodes };
  }

  #sequence(): Node {
    const nodes: Node[] = [];
    while (this.#pos < this.#pattern.length && this.#peek() !== "|" && this.#peek() !== ")") {
      if (this.#take("\\Q")) {
        const quoted = this.#quoted();
        const last = quoted.pop();
        nodes.push(...quoted);
        if (last !== undefined) nodes.push(this.#repeated(last, this.#pos));
        continue;
      }
      const start = this.#pos;
      const atom = this.#atom();
      if (atom !== undefined) nodes.push(this.#repeated(atom, start));
    }
    if (nodes.length === 0) return { t: "empty" };
    return nodes.length === 1 ? (nodes[0] ?? { t: "empty" }) : { t: "concat", nodes };
  }

  #quoted(): Node[] {
    const end = this.#pattern.indexOf("\\E", this.#pos);
    const stop = end < 0 ? this.#pattern.length : end;
    const text = this.#pattern.slice(this.#pos, stop);
    this.#pos = end < 0 ? stop : stop + 2;
    return Array.from(text, (char) => this.#literal(char.codePointAt(0) ?? 0));
  }

  #repeated(atom: Node, start: number): Node {
    let node = atom;
    let before = -1;
    for (;;) {
      const at = this.#pos;
      const bounds = this.#bounds();
      if (bounds === undefined) return node;
      if (before >= 0)
        this.#fail(`invalid nested repetition operator: \`${this.#pattern.slice(before, this.#pos)}\``, start);
      before = at;
      const lazy = this.#take("?");
      node = { t: "repeat", node, min: bounds[0], max: bounds[1], greedy: lazy === this.#flags.lazy };
    }
  }

  #bounds(): readonly [number, number] | undefined {
    if (this.#take("*")) return [0, Number.POSITIVE_INFINITY];
    if (this.#take("+")) return [1, Number.POSITIVE_INFINITY];
    if (this.#take("?")) return [0, 1];
    const match = /^\{(\d+)(,(\d*))?\}/.exec(this.#pattern.slice(this.#pos, this.#pos + 32));
    if (match === null) return undefined;
    const [text, low = "0", comma, high] = match;
    const min = Number(low);
    const max = comma === undefined ? min : high === "" ? Number.POSITIVE_INFINITY : Number(high);
    const finite = max === Number.POSITIVE_INFINITY ? min : max;
    if (min > max || finite > MAX_REPEAT) this.#fail(`invalid repeat count: \`${text}\``);
    this.#pos += text.length;
    return [min, max];
  }

  #atom(): Node | undefined {
    const start = this.#pos;
    const char = this.#peek();
    switch (char) {
      case "(":
        return this.#group();
      case "[":
        return { t: "class", chars: this.#bracket() };
      case ".":
        this.#pos++;
        return {
          t: "class",
          chars: this.#flags.dotAll ? CharClass.of([0, MAX_CODE]) : CharClass.of([10, 10]).negate(),
        };
      case "^":
        this.#pos++;
        return { t: "assert", what: this.#flags.multi ? "lineBegin" : "begin" };
      case "$":
        this.#pos++;
        return { t: "assert", what: this.#flags.multi ? "lineEnd" : "end" };
      case "*":
      case "+":
      case "?":
        return this.#fail(`missing argument to repetition operator: \`${char}\``, start);
      case "\\":
        return this.#escape();
      default:
        return this.#literal(this.#code());
    }
  }

  #literal(code: number): Node {
    const codes = this.#flags.fold ? foldsOf(code) : [code];
    return { t: "class", chars: CharClass.of(...codes.map((each) => [each, each] as const)) };
  }

  #group(): Node | undefined {
    const start = this.#pos++;
    if (!this.#take("?")) return this.#capture("", start);
    const name = /^P?<([^>]*)>/.exec(this.#pattern.slice(this.#pos));
    if (name !== null && !/^P?<[=!]/.test(this.#pattern.slice(this.#pos))) {
      const [text, word = ""] = name;
      if (!/^\w+$/.test(word)) this.#fail(`invalid named capture: \`(?${text}\``, start);
      if (this.#groups.includes(word)) this.#fail(`duplicate capture group name: \`${word}\``, start);
      this.#pos += text.length;
      return this.#capture(word, start);
    }
    return this.#flagged(start);
  }

  #capture(name: string, start: number): Node {
    const index = this.#groups.push(name) - 1;
    return { t: "group", node: this.#inside(start), index };
  }

  #inside(start: number): Node {
    const flags = { ...this.#flags };
    const node = this.#alternatives();
    this.#flags = flags;
    if (!this.#take(")")) this.#fail(`missing closing ): \`${this.#pattern}\``, start);
    return node;
  }

  #flagged(start: number): Node | undefined {
    const match = /^([imsU]*)(?:-([imsU]+))?([:)])/.exec(this.#pattern.slice(this.#pos, this.#pos + 32));
    if (match === null) {
      const text = this.#pattern.slice(start, this.#pos + 1);
      this.#fail(`invalid or unsupported Perl syntax: \`${text}\``, start);
    }
    const [text, on = "", off = "", close] = match;
    this.#pos += text.length;
    const outer = { ...this.#flags };
    const flags = { ...this.#flags };
    for (const [letters, value] of [
      [on, true],
      [off, false],
    ] as const)
      for (const letter of letters) setFlag(flags, letter, value);
    this.#flags = flags;
    if (close === ")") return undefined;
    const node = this.#inside(start);
    this.#flags = outer;
    return node;
  }

  #escape(): Node {
    const start = this.#pos++;
    const char = this.#peek();
    if (char === "") this.#fail("trailing backslash at end of expression: ``", start);
    const chars = this.#classEscape(start);
    if (chars !== undefined) return { t: "class", chars };
    for (const [letter, what] of [
      ["A", "begin"],
      ["z", "end"],
      ["b", "word"],
      ["B", "notWord"],
    ] as const) {
      if (this.#take(letter)) return { t: "assert", what };
    }
    return this.#literal(this.#escapedCode(start));
  }

  #classEscape(start: number): CharClass | undefined {
    const char = this.#peek();
    const perl = /[dswDSW]/.test(char) ? perlClass(char) : undefined;
    if (perl !== undefined) {
      this.#pos++;
      return perl;
    }
    if (char !== "p" && char !== "P") return undefined;
    const match = /^[pP](?:\{(\^?)([^}]*)\}|(.))/u.exec(this.#pattern.slice(this.#pos));
    const found = match === null ? undefined : unicodeClass(match[2] ?? match[3] ?? "");
    if (match === null || found === undefined) {
      this.#fail(
        `invalid character class range: \`${this.#pattern.slice(start, this.#pos + (match?.[0].length ?? 1))}\``,
        start,
      );
    }
    this.#pos += match[0].length;
    if (this.#flags.fold) found.foldCase();
    return (char === "P") !== (match[1] === "^") ? found.negate() : found;
  }

  #escapedCode(start: number): number {
    const rest = this.#pattern.slice(this.#pos, this.#pos + 12);
    const hex = /^x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,8})\})/.exec(rest);
    const octal = /^(?:[1-7][0-7]{1,2}|0[0-7]{0,2})/.exec(rest);
    const code =
      hex !== null
        ? Number.parseInt(hex[1] ?? hex[2] ?? "0", 16)
        : octal !== null
          ? Number.parseInt(octal[0], 8)
          : undefined;
    if (code !== undefined && code <= MAX_CODE) {
      this.#pos += (hex ?? octal)?.[0].length ?? 0;
      return code;
    }
    const control = CONTROL[this.#peek()];
    const char = this.#code();
    if (control !== undefined) return control;
    if (char < 128 && /[0-9A-Za-z]/.test(String.fromCodePoint(char))) {
      this.#fail(`invalid escape sequence: \`${this.#pattern.slice(start, this.#pos)}\``, start);
    }
    return char;
  }

  #bracket(): CharClass {
    const start = this.#pos++;
    const chars = new CharClass();
    const negated = this.#take("^");
    for (let first = true; first || this.#peek() !== "]"; first = false) {
      if (this.#pos >= this.#pattern.length) this.#fail(`missing closing ]: \`${this.#pattern.slice(start)}\``, start);
      this.#member(chars);
    }
    this.#pos++;
    if (this.#flags.fold) chars.foldCase();
    return negated ? chars.negate() : chars;
  }

  #member(chars: CharClass): void {
    const start = this.#pos;
    const posix = /^\[:(\^?)(\w+):\]/.exec(this.#pattern.slice(start, start + 20));
    if (posix !== null) {
      const found = posixClass(posix[2] ?? "");
      if (found === undefined) this.#fail(`invalid character class range: \`${posix[0]}\``);
      this.#pos += posix[0].length;
      chars.addClass(posix[1] === "^" ? found.negate() : found);
      return;
    }
    const escaped = this.#peek() === "\\";
    if (escaped) this.#pos++;
    const set = escaped ? this.#classEscape(start) : undefined;
    if (set !== undefined) {
      chars.addClass(set);
      return;
    }
    const from = escaped ? this.#escapedCode(start) : this.#code();
    const range = this.#peek() === "-" && this.#pattern[this.#pos + 1] !== "]" && this.#pos + 1 < this.#pattern.length;
    if (!range) {
      chars.addRange(from, from);
      return;
    }
    this.#pos++;
    const to = this.#end();
    if (to < from) this.#fail(`invalid character class range: \`${this.#pattern.slice(start, this.#pos)}\``, start);
    chars.addRange(from, to);
  }

  #end(): number {
    const start = this.#pos;
    if (!this.#take("\\")) return this.#code();
    return this.#escapedCode(start);
  }
}

function setFlag(flags: Flags, letter: string, value: boolean): void {
  if (letter === "i") flags.fold = value;
  else if (letter === "m") flags.multi = value;
  else if (letter === "s") flags.dotAll = value;
  else flags.lazy = value;
}
