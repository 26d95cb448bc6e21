const epochSeconds = 1_400_000_000;
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const textLength = 27;
const rawLength = 20;
const largest = (1n << 160n) - 1n;

/** A K-sortable id taken apart. */
export interface Ksuid {
  /** When it was made, in whole seconds since the Unix epoch. */
  seconds: number;
  /** Its 16 random bytes. */
  payload: Uint8Array;
}

/**
 * Make a KSUID: 27 base62 characters holding a time in seconds and 16 random bytes, as request ids and
 * token ids are.
 *
 * @param seconds Unix time to embed; the present by default.
 */
export function newKsuid(seconds: number = Math.floor(Date.now() / 1_000)): string {
  const raw = new Uint8Array(rawLength);
  crypto.getRandomValues(raw.subarray(4));
  new DataView(raw.buffer).setUint32(0, seconds - epochSeconds);
  return encode(raw);
}

/** Take a KSUID apart, or give undefined when the text is not one. */
export function parseKsuid(text: string): Ksuid | undefined {
  if (text.length !== textLength) return undefined;
  let value = 0n;
  for (const character of text) {
    const digit = alphabet.indexOf(character);
    if (digit < 0) return undefined;
    value = value * 62n + BigInt(digit);
  }
  if (value > largest) return undefined;
  const raw = Uint8Array.fromHex(value.toString(16).padStart(rawLength * 2, "0"));
  return { seconds: new DataView(raw.buffer).getUint32(0) + epochSeconds, payload: raw.slice(4) };
}

function encode(raw: Uint8Array): string {
  // Long division over 32-bit words: cheaper than one 160-bit bigint per character.
  const view = new DataView(raw.buffer);
  const words = [0, 4, 8, 12, 16].map((at) => view.getUint32(at));
  let text = "";
  for (let i = 0; i < textLength; i++) {
    let rest = 0;
    for (let w = 0; w < words.length; w++) {
      const current = rest * 2 ** 32 + (words[w] ?? 0);
      words[w] = Math.floor(current / 62);
      rest = current % 62;
    }
    text = (alphabet[rest] ?? "0") + text;
  }
  return text;
}
