import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { errorText } from "../std/mod.ts";

/**
 * Read a listener's certificate, with those that vouch for it behind it, and its private key, all PEM.
 *
 * @throws {Error} naming the file that cannot be read, holds something else, or does not belong to the other.
 */
export function readCertificateFiles(certificateFile: string, keyFile: string): { certificate: string; key: string } {
  const certificate = readPem("certificate", certificateFile);
  const key = readPem("private key", keyFile);
  const parsed = usable("certificate", certificateFile, () => new X509Certificate(certificate));
  const secret = usable("private key", keyFile, () => createPrivateKey(key));
  if (belong(parsed, secret)) return { certificate, key };
  throw new Error(`The private key "${keyFile}" does not belong to the certificate "${certificateFile}"`);
}

function belong(certificate: X509Certificate, key: KeyObject): boolean {
  try {
    return certificate.checkPrivateKey(key);
  } catch {
    // Keys of different kinds are not compared at all.
    return false;
  }
}

function readPem(what: string, file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`Cannot read the ${what} "${file}": ${errorText(error)}`, { cause: error });
  }
  if (text.includes("-----BEGIN ")) return text;
  throw new Error(`Cannot use the ${what} "${file}": expected PEM`);
}

function usable<T>(what: string, file: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new Error(`Cannot use the ${what} "${file}": ${errorText(error)}`, { cause: error });
  }
}
