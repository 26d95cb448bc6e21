import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import type { Context } from "../context.ts";
import { isArray, RegoObject, type RegoValue, toRego } from "../values.ts";
import { type Args, attempt, bad, type Family, fn, obj, str } from "./_kit.ts";
import { readCertificate, readRequest, usageNumber } from "./_x509.ts";
import { base64Bytes } from "./encoding.ts";
import { TIME } from "./time.ts";

const BEGIN = "-----BEGIN ";

interface Block {
  readonly type: string;
  readonly bytes: Buffer;
}

function blocks(text: string): Block[] {
  const out: Block[] = [];
  for (let at = text.indexOf(BEGIN); at >= 0; at = text.indexOf(BEGIN, at)) {
    const type = /^[A-Z0-9 ]{1,64}(?=-----)/.exec(text.slice(at + BEGIN.length, at + BEGIN.length + 80))?.[0];
    if (type === undefined) break;
    const start = at + BEGIN.length + type.length + 5;
    const end = text.indexOf(`-----END ${type}-----`, start);
    if (end < 0) break;
    out.push({ type, bytes: Buffer.from(text.slice(start, end), "base64") });
    at = end;
  }
  return out;
}

const ILLEGAL_BASE64 = "illegal base64 data at input byte 0";

/** Whether a text is neither PEM nor base64. */
function undecoded(text: string): boolean {
  return blocks(text).length === 0 && base64Bytes(text.trim(), false, true) === undefined;
}

/** The PEM blocks of a text, which may be base64 of PEM or of bare DER. */
function unpack(text: string, bareType: string): Block[] {
  const direct = blocks(text);
  if (direct.length > 0) return direct;
  const bytes = base64Bytes(text.trim(), false, true);
  if (bytes === undefined) throw bad(ILLEGAL_BASE64);
  const inner = blocks(Buffer.from(bytes).toString("latin1"));
  return inner.length > 0 ? inner : [{ type: bareType, bytes: Buffer.from(bytes) }];
}

function certificatesOf(text: string): Buffer[] {
  return unpack(text, "CERTIFICATE").flatMap(({ type, bytes }) => {
    if (type !== "CERTIFICATE") throw bad(`PEM-encoded certificate has an unexpected type: ${type}`);
    return splitDer(bytes);
  });
}

/** Certificates one after another in one piece of DER. */
function splitDer(bytes: Buffer): Buffer[] {
  const out: Buffer[] = [];
  for (let rest = bytes; rest.length > 0; ) {
    const length = (rest[1] ?? 0) === 0x82 ? 4 + rest.readUInt16BE(2) : rest.length;
    out.push(rest.subarray(0, length));
    rest = rest.subarray(length);
  }
  return out;
}

interface Options {
  readonly at: number;
  readonly usages: readonly number[];
  readonly host: string | undefined;
}

function optionsOf(options: RegoObject, c: Context): Options {
  const at = options.get("CurrentTime") ?? TIME["time.now_ns"]?.code([], c) ?? 0;
  const usages = options.get("KeyUsages");
  const host = options.get("DNSName");
  return {
    at: Number(at) / 1e6,
    usages: isArray(usages) ? usages.map((each) => usageNumber(String(each))) : [1],
    host: typeof host === "string" ? host : undefined,
  };
}

function isCurrent(certificate: X509Certificate, at: number): boolean {
  return Date.parse(certificate.validFrom) <= at && at <= Date.parse(certificate.validTo);
}

function allows(bytes: Buffer, usages: readonly number[]): boolean {
  const listed = readCertificate(bytes).get("ExtKeyUsage");
  if (!isArray(listed) || listed.includes(0) || usages.includes(0)) return true;
  return usages.some((usage) => listed.includes(usage));
}

/** The chain from the last certificate to the first, undefined when there is none. */
function chainOf(certificates: readonly Buffer[], options: Options): Buffer[] | undefined {
  const parsed = certificates.map((bytes) => ({ bytes, certificate: new X509Certificate(bytes) }));
  const [root, ...others] = parsed;
  const leaf = others.pop();
  if (root === undefined || leaf === undefined) return undefined;
  const authorities = [root, ...others];
  const chain = [leaf];
  for (let current = leaf; current !== root; ) {
    const issuer = authorities.find((each) => !chain.includes(each) && signs(each.certificate, current.certificate));
    if (issuer === undefined) return undefined;
    chain.push(issuer);
    current = issuer;
  }
  const valid = chain.every(
    ({ certificate, bytes }) => isCurrent(certificate, options.at) && allows(bytes, options.usages),
  );
  const named = options.host === undefined || leaf.certificate.checkHost(options.host) !== undefined;
  return valid && named ? chain.map(({ bytes }) => bytes) : undefined;
}

function signs(issuer: X509Certificate, subject: X509Certificate): boolean {
  return issuer.ca && attempt(() => subject.verify(issuer.publicKey)) === true && subject.issuer === issuer.subject;
}

const UNVERIFIED: RegoValue = [false, []];

function verifyChain(text: string, options: Options): RegoValue {
  const certificates = attempt(() => certificatesOf(text));
  const chain = certificates === undefined ? undefined : attempt(() => chainOf(certificates, options));
  return chain === undefined ? UNVERIFIED : [true, chain.map(readCertificate)];
}

function privateKeys(text: string): KeyObject[] {
  const found = blocks(text).length > 0 ? blocks(text) : (attempt(() => unpack(text, "")) ?? []);
  return found.flatMap(({ type, bytes }) => {
    if (!type.endsWith("PRIVATE KEY")) return [];
    const pem = `-----BEGIN ${type}-----\n${bytes.toString("base64")}\n-----END ${type}-----\n`;
    const key = attempt(() => createPrivateKey(pem));
    if (key === undefined) throw bad("failed to parse private key");
    return [key];
  });
}

function jwkOf(key: KeyObject): RegoValue {
  return toRego(key.export({ format: "jwk" }));
}

function keyPair(args: Args): RegoValue {
  const certificates = unpack(str(args, 0), "CERTIFICATE").map(({ bytes }) => bytes);
  const [key] = privateKeys(str(args, 1));
  const [first] = certificates;
  if (first === undefined || key === undefined) throw bad("tls: failed to find certificate or key data");
  if (!new X509Certificate(first).checkPrivateKey(key)) throw bad("tls: private key does not match public key");
  return RegoObject.of([
    ["Certificate", certificates.map((bytes) => bytes.toString("base64"))],
    ["PrivateKey", jwkOf(key)],
    ["Leaf", readCertificate(first)],
  ]);
}

function request(args: Args): RegoValue {
  const [block] = unpack(str(args, 0), "CERTIFICATE REQUEST");
  if (block === undefined || !block.type.endsWith("CERTIFICATE REQUEST"))
    throw bad("invalid PEM-encoded certificate signing request");
  return readRequest(block.bytes);
}

/** Certificates, requests and keys. */
export const CERTIFICATES: Family = {
  "crypto.x509.parse_certificates": fn(1, (a) => certificatesOf(str(a, 0)).map(readCertificate)),
  "crypto.x509.parse_and_verify_certificates": fn(1, (a, c) => verifyChain(str(a, 0), optionsOf(new RegoObject(), c))),
  "crypto.x509.parse_and_verify_certificates_with_options": fn(2, (a, c) =>
    verifyChain(str(a, 0), optionsOf(obj(a, 1), c)),
  ),
  "crypto.x509.parse_certificate_request": fn(1, request),
  "crypto.x509.parse_keypair": fn(2, keyPair),
  "crypto.x509.parse_rsa_private_key": fn(1, (a) => {
    const text = str(a, 0);
    const [key] = privateKeys(text);
    if (key === undefined) throw bad(undecoded(text) ? ILLEGAL_BASE64 : "failed to parse private key");
    return jwkOf(key);
  }),
  "crypto.parse_private_keys": fn(1, (a) => (str(a, 0) === "" ? null : privateKeys(str(a, 0)).map(jwkOf))),
};
