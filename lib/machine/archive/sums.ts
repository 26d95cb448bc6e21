import { createHash } from "node:crypto";
import { createReadStream, lstatSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { errorCode, errorText, isFile } from "../../std/mod.ts";

/** Digests of files, as `sha256sum` writes them. */
export type Sums = ReadonlyMap<string, string>;

/** Most bytes of a file of digests. */
const maxSums = 4 * 1024 ** 2;

/** SHA-256 of a file, lower-case hex. @throws the system's error when it cannot be read. */
export async function fileDigest(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}

/**
 * Read a text of digests: a line a file, the digest, blanks and the name. Empty lines mean nothing.
 *
 * @throws {SyntaxError} naming the line that is none of it.
 */
export function parseSums(text: string): Sums {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return new Map(
    lines.map((line) => {
      const [, digest = "", file = ""] = /^([a-z0-9]+)\s+\*?(\S.*?)\r?$/.exec(line) ?? [];
      if (file === "") throw new SyntaxError(`${JSON.stringify(line.slice(0, 200))} is no digest of a file`);
      return [file, digest] as const;
    }),
  );
}

/** Write digests as {@link parseSums} reads them. */
export function formatSums(sums: Sums): string {
  return [...sums].map(([file, digest]) => `${digest}  ${file}\n`).join("");
}

/** Digests of every file below a folder, by their paths relative to it, sorted. */
export async function sumFolder(folder: string, ignore: readonly string[] = []): Promise<Sums> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !ignore.includes(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
  const sums = new Map<string, string>();
  for (const file of files) sums.set(file, await fileDigest(join(folder, file)));
  return sums;
}

/** What is wrong with the files of a folder, a line each: those that are missing, changed or lie elsewhere. */
export async function faultsOf(folder: string, sums: Sums): Promise<string[]> {
  const faults: string[] = [];
  for (const [file, wanted] of sums) {
    const fault = await faultOf(folder, file, wanted);
    if (fault !== undefined) faults.push(`${file}: ${fault}`);
  }
  return faults;
}

/**
 * Whether a folder is what it should be: its file of digests has this digest, and its files have theirs. Files that no
 * digest is given for are left alone.
 *
 * @param sumsFile Name of the file of digests, relative to the folder.
 * @returns what is wrong; empty where nothing is. Never rejects.
 */
export async function checkFolder(folder: string, sumsFile: string, sumsDigest: string): Promise<string> {
  const path = join(folder, sumsFile);
  if (!isFile(path)) return `there is no ${sumsFile}`;
  try {
    if (lstatSync(path).size > maxSums) return `${sumsFile} is larger than ${maxSums} bytes`;
    const text = readFileSync(path);
    const digest = createHash("sha256").update(text).digest("hex");
    if (digest !== sumsDigest) return `${sumsFile} has the digest ${digest}, not ${sumsDigest}`;
    const [first] = await faultsOf(folder, parseSums(text.toString("utf8")));
    return first ?? "";
  } catch (error) {
    return `${sumsFile}: ${errorText(error)}`;
  }
}

async function faultOf(folder: string, file: string, wanted: string): Promise<string | undefined> {
  try {
    const path = realpathSync(join(folder, file));
    if (!path.startsWith(realpathSync(folder) + sep)) return "is outside of the directory";
    return (await fileDigest(path)) === wanted ? undefined : "has another digest";
  } catch (error) {
    return errorCode(error) === "ENOENT" ? "is missing" : errorText(error);
  }
}
