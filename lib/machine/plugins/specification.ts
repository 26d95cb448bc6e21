import { decodeBase64, decodeHex, encodeBase64, type KeyPair, verifySignature } from "../../crypto/mod.ts";
import { decodeUtf8, encodeUtf8, errorText, isObject, type Json, type JsonObject } from "../../std/mod.ts";

/** A plugin that nodes are to have: a gzipped tar archive with a folder of the plugin's name. */
export interface PluginEntry {
  name: string;
  /** Where the archive is. */
  source: string;
  /** SHA-256 of the archive, hex. */
  checksum: string;
  /** SHA-256 of the file `SHA256SUMS` in the archive's folder, hex. */
  verifyChecksum: string;
  /** For HTTP's basic authentication; empty for none. */
  username: string;
  password: string;
  /** Which nodes: an expression, see {@link matchesNode}; empty for all. */
  match: string;
  /** Limits how many nodes fetch at a time; empty for none. */
  governor: string;
}

/** A specification that cannot be used. */
export class SpecificationError extends Error {
  override readonly name = "SpecificationError";
  /** Whether it is the signature that is missing or wrong. */
  readonly isUnsigned: boolean;

  constructor(message: string, options: ErrorOptions & { isUnsigned?: boolean } = {}) {
    super(message, options);
    this.isUnsigned = options.isUnsigned ?? false;
  }
}

/** Most characters of a specification's manifest. */
const maxManifest = 8 * 1024 ** 2;
const maxPlugins = 1_000;

/**
 * Make the document that nodes take, `{"plugins":"<base64>","signature":"<hex>"}`, of a manifest: a JSON list of plugins.
 * The manifest's bytes stay as they are; what is signed is their base64.
 *
 * @param key Without one there is no signature, which only nodes without a key accept.
 */
export function packSpecification(manifest: Uint8Array, key?: KeyPair): string {
  const plugins = encodeBase64(manifest);
  if (key === undefined) return JSON.stringify({ plugins });
  return JSON.stringify({ plugins, signature: key.sign(encodeUtf8(plugins)).toHex() });
}

/** Whether a document of {@link packSpecification} carries the signature of a key. Never throws. */
export function isSigned(document: unknown, publicKey: string): boolean {
  if (!isObject(document)) return false;
  const { plugins, signature } = document;
  if (typeof plugins !== "string" || typeof signature !== "string") return false;
  const bytes = decodeHex(signature);
  return bytes !== undefined && verifySignature(publicKey, encodeUtf8(plugins), bytes);
}

/**
 * The plugins of a document of {@link packSpecification}. Nothing of it is looked at before its signature holds.
 *
 * @param publicKey Whose signature it must have; empty asks for none.
 * @throws {SpecificationError} naming what is wrong.
 */
export function readSpecification(document: Json | undefined, publicKey: string): PluginEntry[] {
  if (publicKey !== "" && !isSigned(document, publicKey)) {
    throw new SpecificationError("the specification has no valid signature", { isUnsigned: true });
  }
  const plugins = isObject(document) ? document.plugins : undefined;
  if (typeof plugins !== "string") throw new SpecificationError("the specification holds no plugins");
  if (plugins.length > maxManifest) throw new SpecificationError(`it has more than ${maxManifest} characters`);
  const bytes = decodeBase64(plugins);
  if (bytes === undefined) throw new SpecificationError("the plugins are no base64");
  return parsePlugins(bytes);
}

/**
 * Read a manifest, the JSON list of plugins that people write. Keys that mean nothing are passed over.
 *
 * @throws {SpecificationError} naming the plugin and what it lacks, or `invalid specification: …` where it is no list.
 */
export function parsePlugins(manifest: Uint8Array): PluginEntry[] {
  const list = parseList(manifest);
  if (list.length > maxPlugins) throw new SpecificationError(`there are more than ${maxPlugins} plugins`);
  const entries = list.map(entryOf);
  const names = new Set(entries.map(({ name }) => name));
  const twice = entries.find(({ name }) => !names.delete(name));
  if (twice !== undefined) throw new SpecificationError(`plugin ${twice.name} is listed twice`);
  return entries;
}

function parseList(manifest: Uint8Array): JsonObject[] {
  let value: unknown;
  try {
    value = JSON.parse(decodeUtf8(manifest));
  } catch (error) {
    throw new SpecificationError(`invalid specification: ${errorText(error)}`, { cause: error });
  }
  if (Array.isArray(value) && value.every(isObject)) return value;
  throw new SpecificationError("invalid specification: expected a list of plugins");
}

function entryOf(item: JsonObject): PluginEntry {
  const name = textOf(item, "name", "");
  if (name === "") throw new SpecificationError("name is required");
  checkPluginName(name);
  const required = (key: string) => {
    const text = textOf(item, key, name);
    if (text === "") throw new SpecificationError(`${key} is required for ${name}`);
    return text;
  };
  return {
    name,
    source: required("source"),
    checksum: required("checksum"),
    verifyChecksum: required("verify_checksum"),
    username: textOf(item, "username", name),
    password: textOf(item, "password", name),
    match: textOf(item, "match", name),
    governor: textOf(item, "governor", name),
  };
}

/**
 * Names become folders: those of machines, of agents, and of what looks after them.
 *
 * @throws {SpecificationError} for a name that leads elsewhere, or that loaders pass over.
 */
export function checkPluginName(name: string): void {
  const isGood = /^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,99}$/.test(name) && name !== "tmp" && !name.endsWith("-temp");
  if (!isGood) throw new SpecificationError(`plugin name ${JSON.stringify(name.slice(0, 100))} is not valid`);
}

function textOf(item: JsonObject, key: string, name: string): string {
  const value = item[key] ?? "";
  if (typeof value === "string") return value;
  throw new SpecificationError(`invalid specification: ${key} of ${name || "a plugin"} is not a text`);
}
