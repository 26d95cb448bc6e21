import { type FSWatcher, readdirSync, readFileSync, statSync, watch } from "node:fs";
import { join } from "node:path";
import { sha256Hex } from "../crypto/mod.ts";
import { errorCode } from "../std/mod.ts";
import { type DecodedManifest, decodeManifest } from "./manifest.ts";

/** Name of the file that makes a folder a machine. */
export const manifestFile = "machine.yaml";

/** A machine as it stands in a folder. */
export interface StoredMachine extends DecodedManifest {
  /** SHA-256 of `machine.yaml`, hex. */
  readonly digest: string;
}

/** The machine folders of a store, absolute, in the order of their names. @throws the system's error. */
export function machineFolders(store: string): string[] {
  return readdirSync(store, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !isPassedOver(entry.name))
    .map(({ name }) => join(store, name))
    .sort();
}

/** Folders that are on their way in or out. */
function isPassedOver(name: string): boolean {
  return name === "tmp" || name.startsWith(".") || name.endsWith("-temp");
}

/** SHA-256 of a folder's `machine.yaml`, hex; undefined where there is none. */
export function manifestDigest(folder: string): string | undefined {
  const bytes = readManifest(folder);
  return bytes === undefined ? undefined : sha256Hex(bytes);
}

/**
 * Load the machine of a folder.
 *
 * @throws {ManifestError} for what is wrong with it; {@link Error} `cannot read DIR/machine.yaml` where there is none.
 */
export function loadMachine(folder: string): StoredMachine {
  const bytes = readManifest(folder);
  if (bytes === undefined) throw new Error(`cannot read ${join(folder, manifestFile)}`);
  return { ...decodeManifest(bytes.toString("utf8")), digest: sha256Hex(bytes) };
}

function readManifest(folder: string): Buffer | undefined {
  try {
    return readFileSync(join(folder, manifestFile));
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EACCES", "EISDIR"].includes(errorCode(error) ?? "")) return undefined;
    throw error;
  }
}

/** Milliseconds for which a store has to be quiet before it is looked at: folders are copied in several steps. */
const settleTime = 200;

/** Tells when machines come, change or go, as far as the system does. */
export class StoreWatch implements Disposable {
  readonly #store: string;
  readonly #onChange: () => void;
  readonly #watches = new Map<string, { readonly watching: FSWatcher; readonly birth: string }>();
  #settling: ReturnType<typeof setTimeout> | undefined;

  constructor(store: string, onChange: () => void) {
    this.#store = store;
    this.#onChange = onChange;
    this.#watch(store, () => true);
  }

  /** Watch the manifests of these folders, and of no others; what has been made anew is watched anew. */
  follow(folders: readonly string[]): void {
    for (const [folder, { birth }] of [...this.#watches]) if (birthOf(folder) !== birth) this.#unwatch(folder);
    if (!this.#watches.has(this.#store)) this.#watch(this.#store, () => true);
    for (const folder of this.#watches.keys()) {
      if (folder !== this.#store && !folders.includes(folder)) this.#unwatch(folder);
    }
    for (const folder of folders) {
      if (!this.#watches.has(folder)) this.#watch(folder, (name) => name === manifestFile);
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#settling);
    for (const folder of [...this.#watches.keys()]) this.#unwatch(folder);
  }

  #watch(folder: string, concerns: (name: string | null) => boolean): void {
    try {
      const watching = watch(folder, { persistent: false }, (_kind, name) => {
        if (concerns(name)) this.#settle();
      });
      // A folder that is gone, or more watches than the system gives: the store is looked at from time to time anyway.
      watching.on("error", () => this.#unwatch(folder));
      this.#watches.set(folder, { watching, birth: birthOf(folder) });
    } catch {
      // As above.
    }
  }

  #unwatch(folder: string): void {
    this.#watches.get(folder)?.watching.close();
    this.#watches.delete(folder);
  }

  #settle(): void {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(this.#onChange, settleTime);
  }
}

/** What tells a folder from another of the same name, as far as the system does; its number alone may come again. */
function birthOf(folder: string): string {
  const found = statSync(folder, { throwIfNoEntry: false });
  return found === undefined ? "" : `${found.ino} ${found.birthtimeMs}`;
}
