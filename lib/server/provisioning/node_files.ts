import { chmodSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isFile, writeFileAtomic } from "../../std/mod.ts";

/** Files of a node that provisioning reads and replaces: on disk, or in memory where nodes are emulated. */
export interface NodeFiles {
  /** Whether there is a file at the path. */
  has(path: string): boolean;
  /** @throws the system's error when it cannot be read. */
  read(path: string): string;
  /**
   * Replace a file in one step, making missing folders for their owner alone. A symbolic link stays one: what it
   * points to is replaced.
   */
  write(path: string, text: string, mode: number): void;
  /** Remove a file; nothing happens where there is none. */
  remove(path: string): void;
  /**
   * Remove a folder with all it holds and make it anew, for its owner alone, with these files, which nobody may
   * write to.
   */
  replaceFolder(path: string, files: ReadonlyMap<string, string>): void;
}

/** The files of this machine. */
export const diskFiles: NodeFiles = {
  has: isFile,
  read: (path) => readFileSync(path, "utf8"),
  write: (path, text, mode) =>
    writeFileAtomic(isFile(path) ? realpathSync(path) : path, text, { mode, makeFolders: true }),
  remove: (path) => rmSync(path, { force: true }),
  replaceFolder(path, files) {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path, { recursive: true, mode: 0o700 });
    chmodSync(path, 0o700);
    for (const [name, text] of files) writeFileSync(join(path, name), text, { mode: 0o400, flag: "wx" });
  },
};

/** Files that exist in memory only. */
export function memoryFiles(initial: Readonly<Record<string, string>> = {}): NodeFiles {
  const held = new Map(Object.entries(initial));
  return {
    has: (path) => held.has(path),
    read(path) {
      const text = held.get(path);
      if (text === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`);
      return text;
    },
    write: (path, text) => void held.set(path, text),
    remove: (path) => void held.delete(path),
    replaceFolder(path, files) {
      for (const known of held.keys()) if (dirname(known) === path || known.startsWith(`${path}/`)) held.delete(known);
      for (const [name, text] of files) held.set(join(path, name), text);
    },
  };
}
