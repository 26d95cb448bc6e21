import { encodeBase64Url } from "./base64.ts";
import { generateKey, type KeyPair } from "./ed25519.ts";

/** A TLS certificate with its key, both as PEM. */
export interface Certificate {
  /** `-----BEGIN CERTIFICATE-----`… */
  certificate: string;
  /** `-----BEGIN PRIVATE KEY-----`… (PKCS 8): a secret. */
  privateKey: string;
}

/** What a self-signed certificate says. */
export interface CertificateOptions {
  /** Common name and first of the alternative names. */
  name: string;
  /** Further DNS names and IP addresses. */
  alternatives?: readonly string[];
  /** @default 365 */
  days?: number;
}

/**
 * Make a self-signed ECDSA P-256 certificate for a listener. Choria needs no certificate authority: TLS hides
 * the traffic, tokens say who is who.
 */
export async function selfSignedCertificate(options: CertificateOptions): Promise<Certificate> {
  // Imported here as only set-up ever needs it, and daemons are to stay small.
  await import("reflect-metadata"); // which x509 asks for before it loads
  const x509 = await import("@peculiar/x509");
  const { name, alternatives = [], days = 365 } = options;
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: crypto
      .getRandomValues(new Uint8Array(16))
      .toHex()
      .replace(/^[89a-f]/, "7"),
    name: `CN=${name}`,
    notBefore: new Date(now - 60_000),
    notAfter: new Date(now + days * 86_400_000),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.SubjectAlternativeNameExtension([name, ...alternatives].map(alternativeName)),
    ],
  });
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    certificate: `${certificate.toString("pem")}\n`,
    privateKey: `${x509.PemConverter.encode(pkcs8, "PRIVATE KEY")}\n`,
  };
}

/**
 * Make a certificate for a listener and for connections from it, vouched for by an authority that everybody who
 * holds its key can be.
 *
 * @param authority Key of the authority.
 * @returns the certificate with a new key, and the authority's own certificate.
 */
export async function issuedCertificate(
  authority: KeyPair,
  options: CertificateOptions,
): Promise<Certificate & { authority: string }> {
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  const { name, alternatives = [], days = 365 } = options;
  const now = Date.now();
  const validity = { notBefore: new Date(now - 86_400_000), notAfter: new Date(now + days * 86_400_000) };
  const common = { ...validity, signingAlgorithm: { name: "Ed25519" } };
  const root = await webKeys(authority);
  const rootCertificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...common,
    name: authorityName,
    keys: root,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  const keys = await webKeys(generateKey());
  const certificate = await x509.X509CertificateGenerator.create({
    ...common,
    subject: `CN=${name}`,
    issuer: authorityName,
    publicKey: keys.publicKey,
    signingKey: root.privateKey,
    extensions: [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension([name, ...alternatives].map(alternativeName)),
    ],
  });
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    certificate: `${certificate.toString("pem")}\n`,
    privateKey: `${x509.PemConverter.encode(pkcs8, "PRIVATE KEY")}\n`,
    authority: `${rootCertificate.toString("pem")}\n`,
  };
}

const authorityName = "CN=Choria brokers";

async function webKeys({ seed, publicKey }: KeyPair): Promise<CryptoKeyPair> {
  const algorithm = { name: "Ed25519" };
  const jwk = {
    kty: "OKP",
    crv: "Ed25519",
    x: encodeBase64Url(Uint8Array.fromHex(publicKey)),
    d: encodeBase64Url(Uint8Array.fromHex(seed)),
  };
  const { d: _secret, ...open } = jwk;
  return {
    privateKey: await crypto.subtle.importKey("jwk", jwk, algorithm, true, ["sign"]),
    publicKey: await crypto.subtle.importKey("jwk", open, algorithm, true, ["verify"]),
  };
}

function alternativeName(value: string): { type: "ip" | "dns"; value: string } {
  return { type: /^[\d.]+$|:/.test(value) ? "ip" : "dns", value };
}
