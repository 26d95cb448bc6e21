/** What the reply subject of a consumer's message tells: `$JS.ACK.<stream>.<consumer>.<tries>.<sequence>…`. */
export interface Delivery {
  /** How often the message was delivered, this time included. */
  deliveries: number;
  /** Sequence in the stream. */
  sequence: number;
  /** Sequence among the deliveries of the consumer. */
  consumerSequence: number;
  /** When the stream stored the message, in Unix milliseconds. */
  time: number;
  /** Messages that the consumer has yet to deliver. */
  pending: number;
}

/** Read a reply subject of 9 tokens, or of 11 and more as servers with domains write them; undefined for any other. */
export function parseDelivery(reply: string): Delivery | undefined {
  const tokens = reply.split(".");
  if (tokens[0] !== "$JS" || tokens[1] !== "ACK") return undefined;
  // Domain and account hash stand before the stream from 12 tokens on; 11 are without the random one at the end.
  const at = tokens.length === 9 ? 4 : tokens.length >= 11 ? 6 : -1;
  if (at < 0) return undefined;
  const delivery = {
    deliveries: Number(tokens[at]),
    sequence: Number(tokens[at + 1]),
    consumerSequence: Number(tokens[at + 2]),
    // Nanoseconds are more than a double holds.
    time: Number(tokens[at + 3]?.slice(0, -6)),
    pending: Number(tokens[at + 4]),
  };
  const isWhole = Object.values(delivery).every((value) => Number.isSafeInteger(value) && value >= 0);
  return isWhole && delivery.sequence > 0 ? delivery : undefined;
}
