/** Header of every copy that says where it comes from. */
export const originHeader = "Choria-SR-Source";

/** Where a copied message comes from. */
export interface Origin {
  /** Source stream. */
  stream: string;
  /** Its sequence in there. */
  sequence: number;
  /** Name of the replicator that copied it. */
  replicator: string;
  /** Name of the replicator's entry. */
  entry: string;
  /** When the source stored it, in Unix milliseconds. */
  time: number;
}

/** The value of the header: `<stream> <sequence> <replicator> <entry> <unix ms>`. */
export function formatOrigin({ stream, sequence, replicator, entry, time }: Origin): string {
  return `${stream} ${sequence} ${replicator} ${entry} ${time}`;
}

/** Read the header; undefined when it has fewer than five fields, or no numbers where they belong. */
export function parseOrigin(text: string): Origin | undefined {
  // Streams and entries cannot have blanks in their names, but replicators may.
  const [stream = "", sequence = "", ...rest] = text.split(" ");
  const [entry = "", time = ""] = rest.slice(-2);
  const replicator = rest.slice(0, -2).join(" ");
  if (rest.length < 3 || !/^-?\d{1,16}$/.test(sequence) || !/^-?\d{1,16}$/.test(time)) return undefined;
  return { stream, sequence: Number(sequence), replicator, entry, time: Number(time) };
}
