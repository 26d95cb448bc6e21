/** A manifest that cannot be used; the message begins as peers know it and ends with the line. */
export class ManifestError extends Error {
  override readonly name = "ManifestError";
  /** Where the fault stands, counted from 1; 0 where something is missing from the file as a whole. */
  readonly line: number;
  /** What is wrong, without the file and the line. */
  readonly reason: string;

  constructor({ reason, line }: ManifestFault) {
    super(`could not load machine.yaml: ${reason}${line === 0 ? "" : ` (machine.yaml line ${line})`}`);
    this.reason = reason;
    this.line = line;
  }
}

/** One thing that is wrong with a manifest. */
export interface ManifestFault {
  readonly reason: string;
  /** Counted from 1; 0 where something is missing from the file as a whole. */
  readonly line: number;
  /** The way out, where there is more to say than the reason does. */
  readonly advice?: string;
}
