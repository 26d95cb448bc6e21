/** An address as a number, with its width of 32 or 128 bits. */
export interface Address {
  readonly value: bigint;
  readonly bits: 32 | 128;
}

/** A network: the addresses from first to last. */
export interface Network {
  readonly first: bigint;
  readonly last: bigint;
  readonly bits: 32 | 128;
  readonly prefix: number;
}

/** The address a text writes; undefined when it is none. */
export function parseAddress(text: string): Address | undefined {
  if (text.length > 45) return undefined;
  return text.includes(":") ? parseSix(text) : parseFour(text);
}

function parseFour(text: string): Address | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return { value: parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n), bits: 32 };
}

function parseSix(text: string): Address | undefined {
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const four = tail === null ? undefined : parseFour(tail[2] ?? "");
  if (tail !== null && four === undefined) return undefined;
  const hex = (n: bigint) => n.toString(16);
  const plain = four === undefined ? text : `${tail?.[1]}${hex(four.value >> 16n)}:${hex(four.value & 0xffffn)}`;
  const halves = plain.split("::");
  if (halves.length > 2) return undefined;
  const [left = [], right = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - left.length - right.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...left, ...Array.from({ length: Math.max(0, missing) }, () => "0"), ...right];
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  return { value: groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n), bits: 128 };
}

/** The network of `address/prefix`; undefined when it is none. */
export function parseNetwork(text: string): Network | undefined {
  const slash = text.lastIndexOf("/");
  const address = slash < 0 ? undefined : parseAddress(text.slice(0, slash));
  const size = text.slice(slash + 1);
  if (address === undefined || !/^(0|[1-9]\d{0,2})$/.test(size) || Number(size) > address.bits) return undefined;
  return networkOf(address, Number(size));
}

/** The network of a size that an address lies in. */
export function networkOf({ value, bits }: Address, prefix: number): Network {
  const free = (1n << BigInt(bits - prefix)) - 1n;
  return { first: value & ~free, last: value | free, bits, prefix };
}

/** The network of a text that is an address or a network. */
export function parseEither(text: string): Network | undefined {
  const address = parseAddress(text);
  return address === undefined ? parseNetwork(text) : networkOf(address, address.bits);
}

/** Text of an address. */
export function addressText(value: bigint, bits: 32 | 128): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
  const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - i * 16)) & 0xffffn).toString(16));
  const zeros = longestZeros(groups);
  if (zeros === undefined) return groups.join(":");
  return `${groups.slice(0, zeros[0]).join(":")}::${groups.slice(zeros[1]).join(":")}`;
}

function longestZeros(groups: readonly string[]): readonly [number, number] | undefined {
  let best: readonly [number, number] | undefined;
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === "0") end++;
    if (end - start > 1 && (best === undefined || end - start > best[1] - best[0])) best = [start, end];
  }
  return best;
}

/** The fewest networks that cover exactly the addresses of the given ones, in order. */
export function mergeNetworks(networks: readonly Network[]): Network[] {
  const out: Network[] = [];
  for (const bits of [32, 128] as const) {
    const sorted = networks
      .filter((each) => each.bits === bits)
      .sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
    for (const [first, last] of spans(sorted)) out.push(...cover(first, last, bits));
  }
  return out;
}

function spans(sorted: readonly Network[]): [bigint, bigint][] {
  const out: [bigint, bigint][] = [];
  for (const { first, last } of sorted) {
    const top = out[out.length - 1];
    if (top === undefined || first > top[1] + 1n) out.push([first, last]);
    else if (last > top[1]) top[1] = last;
  }
  return out;
}

function cover(first: bigint, last: bigint, bits: 32 | 128): Network[] {
  const out: Network[] = [];
  for (let at = first; at <= last; ) {
    let free = 0;
    while (free < bits && (at >> BigInt(free)) % 2n === 0n && at + (1n << BigInt(free + 1)) - 1n <= last) free++;
    const network = networkOf({ value: at, bits }, bits - free);
    out.push(network);
    at = network.last + 1n;
  }
  return out;
}
