/** A key that was pressed: its name, or the text that it types. */
export type Key =
  | { readonly name: KeyName }
  /** With Ctrl held: the letter, lower case. */
  | { readonly name: "ctrl"; readonly letter: string }
  | { readonly name: "text"; readonly text: string };

/** Keys that type nothing. */
export type KeyName =
  | "up"
  | "down"
  | "left"
  | "right"
  | "home"
  | "end"
  | "pageup"
  | "pagedown"
  | "tab"
  | "backtab"
  | "enter"
  | "backspace"
  | "delete"
  | "escape";

const escapeCharacter = "\u{1b}";

/** What terminals send after an escape, by the last letter or the number before a tilde. */
const sequences: Readonly<Record<string, KeyName>> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  H: "home",
  F: "end",
  Z: "backtab",
  "1~": "home",
  "3~": "delete",
  "4~": "end",
  "5~": "pageup",
  "6~": "pagedown",
  "7~": "home",
  "8~": "end",
};

/** What follows an escape: `[5~`, `[1;5A` (modifiers are passed over), `OA`. */
const sequence = /^(?:\[(?:(\d+)(?:;\d+)*)?([A-Za-z~])|O([A-Z]))/;
/** The beginning of it, whose rest has not come yet. */
const unfinished = /^(?:|\[[\d;]*|O)$/;

/** Longest text that waits for the rest of a sequence. */
const mostWaiting = 32;

/** Makes keys of what a terminal in raw mode sends, however it is cut into pieces. */
export class KeyDecoder {
  #waiting = "";

  /** Whether an escape has come that may be the key itself or the beginning of more. */
  get isWaiting(): boolean {
    return this.#waiting !== "";
  }

  /** Take what the terminal sent. */
  push(text: string): Key[] {
    let rest = this.#waiting + text;
    this.#waiting = "";
    const keys: Key[] = [];
    while (rest !== "") {
      if (rest.startsWith(escapeCharacter) && unfinished.test(rest.slice(1)) && rest.length <= mostWaiting) {
        this.#waiting = rest;
        break;
      }
      const [key, length] = firstKey(rest);
      if (key !== undefined) keys.push(key);
      rest = rest.slice(length);
    }
    return keys;
  }

  /** Nothing followed for a while: an escape that waits was the key. */
  flush(): Key[] {
    const isEscape = this.#waiting !== "";
    this.#waiting = "";
    return isEscape ? [{ name: "escape" }] : [];
  }
}

/** The first key of a text, none for a sequence that stands for no known key, and how long it is. */
function firstKey(text: string): [Key | undefined, number] {
  if (text.startsWith(escapeCharacter)) {
    const found = sequence.exec(text.slice(1));
    if (found === null) return [{ name: "escape" }, 1];
    const [whole, number = "", last = "", single = ""] = found;
    const name = sequences[last === "~" ? `${number}~` : last || single];
    return [name === undefined ? undefined : { name }, 1 + whole.length];
  }
  const character = String.fromCodePoint(text.codePointAt(0) ?? 0);
  return [characterKey(character), character.length];
}

function characterKey(character: string): Key | undefined {
  const code = character.codePointAt(0) ?? 0;
  if (character === "\r" || character === "\n") return { name: "enter" };
  if (character === "\t") return { name: "tab" };
  if (code === 127 || code === 8) return { name: "backspace" };
  if (code >= 32) return { name: "text", text: character };
  return code >= 1 && code <= 26 ? { name: "ctrl", letter: String.fromCharCode(code + 96) } : undefined;
}
