import type { TextSink } from "./terminal.ts";

/** What controls the cursor or the direction of writing, and what would make it a colour. */
const controls = /[\p{Cc}\u202a-\u202e\u2066-\u2069](\[[\d;]*m)?/gu;
const escapeCharacter = "\u{1b}";

/**
 * Text that a terminal only shows. What nodes answer is printed for people, and a node that means harm could otherwise
 * move the cursor over what others said, or have the terminal do things: whatever is neither text nor a colour
 * becomes `\ufffd`.
 */
export function harmlessText(text: string): string {
  return text.replace(controls, (found, color = "") => {
    const isHarmless = found[0] === "\n" || found[0] === "\t" || (found[0] === escapeCharacter && color !== "");
    return isHarmless ? found : `\ufffd${color}`;
  });
}

/** A sink for people's eyes: passes on {@link harmlessText}. */
export function harmlessSink(sink: TextSink): TextSink {
  return { write: (text) => sink.write(harmlessText(text)) };
}
