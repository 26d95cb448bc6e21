import { Machine, type WorkMeter } from "./machine.ts";
import { parsePattern } from "./parser.ts";
import { compileNode, type Instructions } from "./program.ts";
import { Searcher } from "./searcher.ts";

/** How a pattern is compiled. */
export interface Re2Options {
  /** Whether case is ignored, as with `(?i)` in front. Default false. */
  caseInsensitive?: boolean;
  /** Largest number of instructions a pattern may need. Default 20,000. */
  maxSize?: number;
}

/** A match: its text, place and groups; a group that took no part is undefined. */
export interface Re2Match {
  readonly text: string;
  /** UTF-16 offsets of the match. */
  readonly start: number;
  readonly end: number;
  /** The whole match, then the groups in order. */
  readonly groups: readonly (string | undefined)[];
}

const DEFAULT_MAX_SIZE = 20_000;

/**
 * Compiles a pattern in RE2 syntax.
 *
 * @throws Re2Error when the pattern is not valid or too large.
 */
export function compileRe2(pattern: string, options: Re2Options = {}): Re2 {
  return new Re2(pattern, options);
}

/** Text with everything that means something in a pattern escaped. */
export function quoteRe2(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");
}

/** A compiled pattern; matching takes time proportional to text and pattern, whatever they are. */
export class Re2 {
  /** The pattern as it was given. */
  readonly source: string;
  /** Names of the groups by index, "" for those without; the first stands for the whole match. */
  readonly groupNames: readonly string[];
  readonly #code: Instructions;
  readonly #searcher: Searcher;

  /** @throws Re2Error when the pattern is not valid or too large. */
  constructor(pattern: string, { caseInsensitive = false, maxSize = DEFAULT_MAX_SIZE }: Re2Options = {}) {
    const { node, groups } = parsePattern(pattern, caseInsensitive);
    this.source = pattern;
    this.groupNames = groups;
    this.#code = compileNode(node, maxSize, pattern);
    this.#searcher = new Searcher(this.#code);
  }

  /** Whether the text holds a match anywhere. A meter hears of the work and may stop it by throwing. */
  test(text: string, meter?: WorkMeter): boolean {
    return this.#searcher.test(text, meter) ?? new Machine(this.#code, text, 0, meter).run(0, false) !== undefined;
  }

  /** Text of the first match. */
  find(text: string, meter?: WorkMeter): string | undefined {
    return this.#at(text, 0, 2, meter)?.text;
  }

  /** The first match with its groups. */
  findSubmatch(text: string, meter?: WorkMeter): Re2Match | undefined {
    return this.#at(text, 0, this.groupNames.length * 2, meter);
  }

  /** Texts of all matches that do not overlap, at most `limit` when that is not negative. */
  findAll(text: string, limit = -1, meter?: WorkMeter): string[] {
    return this.#all(text, limit, 2, meter).map((match) => match.text);
  }

  /** All matches that do not overlap with their groups, at most `limit` when that is not negative. */
  findAllSubmatch(text: string, limit = -1, meter?: WorkMeter): Re2Match[] {
    return this.#all(text, limit, this.groupNames.length * 2, meter);
  }

  /** The text with all matches replaced; `$1`, `${name}` and `$$` in the replacement are expanded. */
  replaceAll(text: string, replacement: string, meter?: WorkMeter): string {
    let out = "";
    let end = 0;
    for (const match of this.findAllSubmatch(text, -1, meter)) {
      out += text.slice(end, match.start) + this.#expand(replacement, match);
      end = match.end;
    }
    return out + text.slice(end);
  }

  /** The pieces of the text between matches, at most `limit` when that is not negative. */
  split(text: string, limit = -1, meter?: WorkMeter): string[] {
    if (limit === 0) return [];
    if (text === "" && this.source !== "") return [""];
    const out: string[] = [];
    let begin = 0;
    let end = 0;
    for (const match of this.#all(text, limit, 2, meter)) {
      if (limit > 0 && out.length === limit - 1) break;
      end = match.start;
      if (match.end !== 0) out.push(text.slice(begin, end));
      begin = match.end;
    }
    if (end !== text.length) out.push(text.slice(begin));
    return out;
  }

  #expand(replacement: string, match: Re2Match): string {
    return replacement.replace(
      /\$(?:(\$)|(\w+)|\{(\w+)\})/g,
      (_, dollar: string | undefined, bare?: string, braced?: string) => {
        if (dollar !== undefined) return "$";
        const name = bare ?? braced ?? "";
        const index = /^\d+$/.test(name) ? Number(name) : this.groupNames.indexOf(name);
        return match.groups[index] ?? "";
      },
    );
  }

  #all(text: string, limit: number, slots: number, meter: WorkMeter | undefined): Re2Match[] {
    const out: Re2Match[] = [];
    let previous = -1;
    for (let pos = 0; pos <= text.length && out.length !== limit; ) {
      const match = this.#at(text, pos, slots, meter);
      if (match === undefined) break;
      const empty = match.end === match.start;
      if (!empty || match.start !== previous) out.push(match);
      previous = match.end;
      pos = empty ? match.end + ((text.codePointAt(match.end) ?? 0) > 0xffff ? 2 : 1) : match.end;
    }
    return out;
  }

  #at(text: string, pos: number, slots: number, meter: WorkMeter | undefined): Re2Match | undefined {
    const found = new Machine(this.#code, text, slots, meter).run(pos, false);
    if (found === undefined) return undefined;
    const groups: (string | undefined)[] = [];
    for (let i = 0; i < slots; i += 2) {
      const [from, to] = [found[i], found[i + 1]];
      groups.push(from === undefined || to === undefined ? undefined : text.slice(from, to));
    }
    return { text: groups[0] ?? "", start: found[0] ?? 0, end: found[1] ?? 0, groups };
  }
}
