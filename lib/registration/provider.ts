import { gzipSync } from "node:zlib";
import { encodeBase64 } from "../crypto/mod.ts";

/** Something that a node tells about itself. */
export interface RegistrationProvider {
  /** As the configuration names it. */
  readonly name: string;
  /** Subject to publish to; empty for the usual one. */
  readonly target: string;
  /**
   * What there is to tell now: a JSON document.
   * @throws {Error} when there is nothing.
   */
  read(): Uint8Array | Promise<Uint8Array>;
}

/** Content as compressed documents carry it. */
export function compressed(content: string | Uint8Array): { zcontent: string } {
  return { zcontent: encodeBase64(gzipSync(content)) };
}
