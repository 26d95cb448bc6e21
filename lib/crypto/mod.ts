/**
 * Keys, signatures and digests: ed25519 as Choria writes it (hex), as NATS writes it (nkeys), and the
 * certificates of the listeners.
 *
 * @module
 */
export { decodeBase64, decodeBase64Url, decodeHex, encodeBase64, encodeBase64Url } from "./base64.ts";
export { type Certificate, type CertificateOptions, issuedCertificate, selfSignedCertificate } from "./certificate.ts";
export { readCertificateFiles } from "./certificate_files.ts";
export { equalSecrets, md5Hex, sha256, sha256Hex } from "./digest.ts";
export {
  generateKey,
  isPublicKey,
  type KeyPair,
  keyFromSeed,
  publicKeyObject,
  verifySignature,
  verifySignatureApart,
} from "./ed25519.ts";
export { decodeNatsJwt, decodeNatsJwtUnverified, encodeNatsJwt } from "./nats_jwt.ts";
export { generateNkey, type Nkey, type NkeyKind, nkeyFromKey, nkeyFromSeed, verifyNkeySignature } from "./nkeys.ts";
export { readPublicKey, readSeedFile, writeSeedFile } from "./seed_file.ts";
