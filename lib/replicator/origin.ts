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

/** Read the header; undefined when it has not five fields, or no numbers where they belong. */
export function parseOrigin(text: string): Origin | undefined {
  const fields = text.split(" ");
  const [stream = "", sequence = "", replicator = "", entry = "", time = ""] = fields;
  if (fields.length !== 5 || !/^-?\d{1,16}$/.test(sequence) || !/^-?\d{1,16}$/.test(time)) return undefined;
  return { stream, sequence: Number(sequence), replicator, entry, time: Number(time) };
}
