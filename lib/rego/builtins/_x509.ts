import { normalizeInteger } from "../_scalars.ts";
import { RegoObject, type RegoValue, toRego } from "../values.ts";
import { children, type Der, derInteger, derText, derTime, oid, readDer } from "./_der.ts";
import { addressText } from "./_ip.ts";
import { bad } from "./_kit.ts";

const NAME_FIELDS: Readonly<Record<string, string>> = {
  "2.5.4.6": "Country",
  "2.5.4.10": "Organization",
  "2.5.4.11": "OrganizationalUnit",
  "2.5.4.7": "Locality",
  "2.5.4.8": "Province",
  "2.5.4.9": "StreetAddress",
  "2.5.4.17": "PostalCode",
};

const EXTENDED_USAGES = [
  "Any",
  "ServerAuth",
  "ClientAuth",
  "CodeSigning",
  "EmailProtection",
  "IPSECEndSystem",
  "IPSECTunnel",
  "IPSECUser",
  "TimeStamping",
  "OCSPSigning",
];
const USAGE_OIDS = ["2.5.29.37.0", ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `1.3.6.1.5.5.7.3.${n}`)];

/** Number of a named extended usage, as certificates list them. */
export function usageNumber(name: string): number {
  return EXTENDED_USAGES.indexOf(name.replace(/^ExtKeyUsage|^KeyUsage/, ""));
}

function readName(der: Der | undefined): RegoObject {
  const lists = new Map<string, string[]>(Object.values(NAME_FIELDS).map((field) => [field, []]));
  const names: RegoValue[] = [];
  let [common, serial] = ["", ""];
  for (const set of children(der)) {
    for (const pair of children(set)) {
      const [type, value] = children(pair);
      const id = oid(type);
      const text = derText(value);
      names.push(
        RegoObject.of([
          ["Type", id],
          ["Value", text],
        ]),
      );
      if (id.join(".") === "2.5.4.3") common = text;
      else if (id.join(".") === "2.5.4.5") serial = text;
      else lists.get(NAME_FIELDS[id.join(".")] ?? "")?.push(text);
    }
  }
  const fields = [...lists].map(([field, list]): [string, RegoValue] => [field, list.length === 0 ? null : list]);
  return RegoObject.of([
    ...fields,
    ["CommonName", common],
    ["SerialNumber", serial],
    ["Names", names],
    ["ExtraNames", null],
  ]);
}

interface Extension {
  readonly id: readonly number[];
  readonly critical: boolean;
  readonly value: Buffer;
}

function readExtensions(der: Der): Extension[] {
  return children(der).map((each) => {
    const parts = children(each);
    const critical = parts[1]?.tag === 1 && parts[1].content[0] !== 0;
    return { id: oid(parts[0]), critical, value: parts[parts.length - 1]?.content ?? Buffer.alloc(0) };
  });
}

function ipText(bytes: Buffer): string {
  const value = BigInt(`0x${bytes.toString("hex") || "0"}`);
  return addressText(value, bytes.length === 4 ? 32 : 128);
}

/** Alternative names, empty lists as null. */
function alternativeNames(value: Buffer | undefined): [string, RegoValue][] {
  const lists: Record<string, string[]> = { DNSNames: [], EmailAddresses: [], IPAddresses: [], URIStrings: [] };
  const fields: Readonly<Record<number, string>> = {
    129: "EmailAddresses",
    130: "DNSNames",
    134: "URIStrings",
    135: "IPAddresses",
  };
  for (const name of value === undefined ? [] : children(readDer(value)[0])) {
    const field = fields[name.tag];
    if (field !== undefined) lists[field]?.push(name.tag === 0x87 ? ipText(name.content) : name.content.toString());
  }
  const entries = Object.entries(lists).map(([key, list]): [string, RegoValue] => [
    key,
    list.length === 0 ? null : list,
  ]);
  const uris = lists.URIStrings ?? [];
  return [...entries, ["URIs", uris.length === 0 ? null : uris.map(uriParts)]];
}

function uriParts(text: string): RegoValue {
  const [, scheme = "", host = "", path = ""] = /^([A-Za-z][\w+.-]*):(?:\/\/([^/?#]*))?([^?#]*)/.exec(text) ?? [];
  return toRego({ Scheme: scheme, Host: host, Path: path, Opaque: "", RawQuery: "", Fragment: "" });
}

function keyUsage(value: Buffer | undefined): number {
  const bits = value === undefined ? undefined : readDer(value)[0]?.content;
  let out = 0;
  for (let i = 0; i < 9; i++) if (((bits?.[1 + (i >> 3)] ?? 0) & (0x80 >> (i & 7))) !== 0) out |= 1 << i;
  return out;
}

function fromExtensions(extensions: readonly Extension[]): [string, RegoValue][] {
  const find = (id: string) => extensions.find((each) => each.id.join(".") === id)?.value;
  const basic = find("2.5.29.19");
  const parts = basic === undefined ? [] : children(readDer(basic)[0]);
  const depth = parts.find((part) => part.tag === 2);
  const extended = find("2.5.29.37");
  const usages =
    extended === undefined ? [] : children(readDer(extended)[0]).map((each) => USAGE_OIDS.indexOf(oid(each).join(".")));
  const subjectKey = find("2.5.29.14");
  const authority = find("2.5.29.35");
  const authorityKey =
    authority === undefined ? undefined : children(readDer(authority)[0]).find((part) => part.tag === 0x80);
  const base64 = (bytes: Buffer | undefined): RegoValue => bytes?.toString("base64") ?? null;
  return [
    ...alternativeNames(find("2.5.29.17")),
    [
      "Extensions",
      extensions.map((each) =>
        RegoObject.of([
          ["Id", [...each.id]],
          ["Critical", each.critical],
          ["Value", each.value.toString("base64")],
        ]),
      ),
    ],
    ["KeyUsage", keyUsage(find("2.5.29.15"))],
    ["ExtKeyUsage", usages.length === 0 ? null : usages],
    ["BasicConstraintsValid", basic !== undefined],
    ["IsCA", parts.some((part) => part.tag === 1 && part.content[0] !== 0)],
    ["MaxPathLen", depth === undefined ? -1 : Number(derInteger(depth))],
    ["MaxPathLenZero", depth !== undefined && derInteger(depth) === 0n],
    ["SubjectKeyId", base64(subjectKey === undefined ? undefined : readDer(subjectKey)[0]?.content)],
    ["AuthorityKeyId", base64(authorityKey?.content)],
  ];
}

const KEY_ALGORITHMS: Readonly<Record<string, readonly [number, string]>> = {
  "1.2.840.113549.1.1.1": [1, "RSA"],
  "1.2.840.10040.4.1": [2, "DSA"],
  "1.2.840.10045.2.1": [3, "ECDSA"],
  "1.3.101.112": [4, "Ed25519"],
};

function keyAlgorithm(spki: Der | undefined): number {
  return KEY_ALGORITHMS[oid(children(children(spki)[0])[0]).join(".")]?.[0] ?? 0;
}

/** What a certificate says, under the names Go's programs use. */
export function readCertificate(bytes: Buffer): RegoObject {
  try {
    return certificate(bytes);
  } catch {
    throw bad("x509: malformed certificate");
  }
}

function certificate(bytes: Buffer): RegoObject {
  const outer = readDer(bytes)[0];
  const [body, , signature] = children(outer);
  const fields = children(body);
  const version = fields[0]?.tag === 0xa0 ? Number(derInteger(children(fields.shift())[0])) + 1 : 1;
  const [serial, , issuer, validity, subject, spki] = fields;
  const [notBefore, notAfter] = children(validity);
  const wrapped = fields.find((each) => each.tag === 0xa3);
  const extensions = wrapped === undefined ? [] : readExtensions(children(wrapped)[0] ?? wrapped);
  return RegoObject.of([
    ["Version", version],
    ["SerialNumber", normalizeInteger(derInteger(serial))],
    ["Issuer", readName(issuer)],
    ["Subject", readName(subject)],
    ["NotBefore", derTime(notBefore)],
    ["NotAfter", derTime(notAfter)],
    ["PublicKeyAlgorithm", keyAlgorithm(spki)],
    ["Raw", bytes.toString("base64")],
    ["RawSubject", subject?.raw.toString("base64") ?? ""],
    ["RawIssuer", issuer?.raw.toString("base64") ?? ""],
    ["RawSubjectPublicKeyInfo", spki?.raw.toString("base64") ?? ""],
    ["Signature", signature?.content.subarray(1).toString("base64") ?? ""],
    ...fromExtensions(extensions),
  ]);
}

/** What a certificate request says, under the names Go's programs use. */
export function readRequest(bytes: Buffer): RegoObject {
  const [body, , signature] = children(readDer(bytes)[0]);
  const [version, subject, spki, attributes] = children(body);
  const wanted =
    attributes === undefined
      ? []
      : children(attributes).filter((each) => oid(children(each)[0]).join(".") === "1.2.840.113549.1.9.14");
  const extensions = wanted.flatMap((each) => readExtensions(children(children(each)[1])[0] ?? each));
  const names = extensions.find((each) => each.id.join(".") === "2.5.29.17")?.value;
  return RegoObject.of([
    ["Version", Number(derInteger(version))],
    ["Subject", readName(subject)],
    ["PublicKeyAlgorithm", keyAlgorithm(spki)],
    ["Raw", bytes.toString("base64")],
    ["RawSubject", subject?.raw.toString("base64") ?? ""],
    ["RawSubjectPublicKeyInfo", spki?.raw.toString("base64") ?? ""],
    ["Signature", signature?.content.subarray(1).toString("base64") ?? ""],
    ...alternativeNames(names),
  ]);
}
