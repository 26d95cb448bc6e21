/** A token of an action. */
export interface Token {
  readonly kind: "string" | "number" | "word" | "field" | "variable" | "sign";
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** What a template is cut into: texts, and the tokens of actions. */
export type Part = { readonly text: string } | { readonly tokens: readonly Token[]; readonly start: number };

/** What is wrong and where. */
export class LexError extends Error {
  override readonly name = "LexError";
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

const rules: readonly (readonly [Token["kind"], RegExp])[] = [
  ["string", /"(?:[^"\\\n]|\\.)*"|`[^`]*`/y],
  ["number", /[+-]?(?:0[xX][\da-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/y],
  ["variable", /\$[\p{L}_\p{N}]*(?:\.[\p{L}_][\p{L}_\p{N}]*)*/uy],
  ["field", /(?:\.[\p{L}_][\p{L}_\p{N}]*)+|\./uy],
  ["word", /[\p{L}_][\p{L}_\p{N}]*/uy],
  ["sign", /:=|[|(),=]/y],
];

/** Cut a template into its parts. @throws {LexError} */
export function cutTemplate(template: string): Part[] {
  const parts: Part[] = [];
  let trims = false;
  for (let at = 0; at < template.length; ) {
    const open = template.indexOf("{{", at);
    const text = template.slice(at, open < 0 ? undefined : open);
    const left = trims ? text.trimStart() : text;
    if (open < 0) {
      parts.push({ text: left });
      break;
    }
    const opensTrimmed = /\s/.test(template[open + 3] ?? "") && template[open + 2] === "-";
    parts.push({ text: opensTrimmed ? left.trimEnd() : left });
    const action = cutAction(template, open + (opensTrimmed ? 3 : 2));
    if (action.tokens !== undefined) parts.push({ tokens: action.tokens, start: open });
    trims = action.trims;
    at = action.end;
  }
  return parts;
}

interface Action {
  /** Undefined for a comment. */
  readonly tokens: readonly Token[] | undefined;
  readonly trims: boolean;
  readonly end: number;
}

const closing = /\s*(?:(?<=\s)-)?\}\}/y;

function cutAction(template: string, start: number): Action {
  const tokens: Token[] = [];
  let at = skipBlanks(template, start);
  if (template.startsWith("/*", at)) return comment(template, at);
  for (;;) {
    closing.lastIndex = at;
    const end = closing.exec(template);
    if (end !== null) return { tokens, trims: end[0].includes("-"), end: closing.lastIndex };
    const next = skipBlanks(template, at);
    if (next >= template.length) throw new LexError("unclosed action", start);
    const token = tokenAt(template, next);
    tokens.push(token);
    at = token.end;
  }
}

function comment(template: string, at: number): Action {
  const stop = template.indexOf("*/", at);
  if (stop < 0) throw new LexError("unclosed comment", at);
  closing.lastIndex = stop + 2;
  const end = closing.exec(template);
  if (end === null) throw new LexError("comment ends before closing delimiter", at);
  return { tokens: undefined, trims: end[0].includes("-"), end: closing.lastIndex };
}

function tokenAt(template: string, at: number): Token {
  for (const [kind, rule] of rules) {
    rule.lastIndex = at;
    const match = rule.exec(template);
    if (match !== null) return { kind, text: match[0], start: at, end: rule.lastIndex };
  }
  const shown = template[at] === '"' ? "unterminated quoted string" : `unexpected ${JSON.stringify(template[at])}`;
  throw new LexError(template[at] === '"' ? shown : `${shown} in command`, at);
}

function skipBlanks(template: string, at: number): number {
  let next = at;
  while (next < template.length && /\s/.test(template[next] ?? "")) next++;
  return next;
}
