import { readFileSync } from "node:fs";
import type { Config } from "../config/mod.ts";
import { type CredentialFiles, readCredentials } from "../security/mod.ts";
import { type Clock, isFile } from "../std/mod.ts";
import type { Login, TlsOptions } from "./options.ts";

/** A login by token and key, both read anew at each attempt. */
export function fileLogin(
  files: CredentialFiles,
  clock: Clock,
  extra: Pick<Login, "user" | "password"> = {},
): () => Login {
  return () => {
    const { token, key } = readCredentials(files, clock.now());
    return { token, key, ...extra };
  };
}

/** TLS settings of a configuration: the authorities of `plugin.security.choria.ca` where that file exists. */
export function tlsOptions(config: Config): TlsOptions {
  const file = config.get("plugin.security.choria.ca");
  return file !== "" && isFile(file) ? { ca: readFileSync(file, "utf8") } : {};
}
