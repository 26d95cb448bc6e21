import { readFileSync, statSync } from "node:fs";
import { encodeBase64 } from "../crypto/mod.ts";
import { encodeUtf8 } from "../std/mod.ts";
import { compressed, type RegistrationProvider } from "./provider.ts";

/** Which file is published, and how. */
export interface FileContentOptions {
  /** The file. */
  path: string;
  target: string;
  compress: boolean;
}

const protocol = "choria:registration:filecontent:1";

/**
 * The provider `file_content`: a file as it is (`choria:registration:filecontent:1`). Its document says whether the
 * file is newer than when it was last read.
 */
export function fileContent({ path, target, compress }: FileContentOptions): RegistrationProvider {
  let last: number | undefined;
  return {
    name: "file_content",
    target,
    read() {
      const stat = path === "" ? undefined : statSync(path, { throwIfNoEntry: false });
      if (stat === undefined) throw new Error(`could not find data file ${path}`);
      const content = readFileSync(path);
      if (content.length === 0) throw new Error(`data file ${path} is empty`);
      const mtime = Math.floor(stat.mtimeMs / 1_000);
      const updated = last !== undefined && mtime > last;
      last = mtime;
      const body = compress ? compressed(content) : { content: encodeBase64(content) };
      return encodeUtf8(JSON.stringify({ mtime, file: path, updated, protocol, ...body }));
    },
  };
}
