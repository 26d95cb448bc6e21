import { compileExpr } from "../../../lib/expr/mod.ts";
import { errorText, formatRemaining, isFile } from "../../../lib/std/mod.ts";
import {
  type Claims,
  decodeClaims,
  expiryOf,
  holderOf,
  isTokenError,
  isVouchedChainIssuer,
  parseToken,
  purposeOf,
  readTokenFile,
  readVerifyKey,
  type StandardClaims,
  type TokenPurpose,
  verifyToken,
} from "../../../lib/tokens/mod.ts";

/** What a token is expected to be; nothing is expected where nothing is said. */
export interface Expectations {
  purpose?: "client" | "server" | "provisioning";
  /** Least and most milliseconds it must still be valid for. */
  validityMin?: number;
  validityMax?: number;
  chainIssuer?: boolean;
  /** Public key that must stand behind it: hex or a file. */
  issuer?: string;
  clientOpa?: boolean;
  sub?: readonly string[];
  pub?: readonly string[];
  identity?: string;
  /** Expressions that must hold; names stand for claims. */
  query?: readonly string[];
}

/** What was found out about a token. */
export interface CheckResult {
  ok: string[];
  critical: string[];
  /** Seconds until it expires; negative when it has. */
  expires?: number;
}

const purposes = { client: "choria_client_id", server: "choria_server", provisioning: "choria_provisioning" } as const;
const kinds: Readonly<Record<TokenPurpose, string>> = {
  choria_client_id: "client token",
  choria_server: "server token",
  choria_provisioning: "provisioning token",
};

/**
 * Compare the token in a file with what is expected of it.
 * @param now Milliseconds since the epoch.
 */
export async function checkToken(file: string, expected: Expectations, now: number): Promise<CheckResult> {
  const result: CheckResult = { ok: [], critical: [] };
  try {
    const claims = await readClaims(file, expected, now, result);
    result.critical.push(
      ...holderFaults(claims, expected),
      ...chainFaults(claims, expected),
      ...subjectFaults(claims, expected),
    );
    const end = expiryOf(claims);
    if (end !== undefined) result.expires = end - now / 1_000;
    result.critical.push(...timeFaults(claims, result.expires, expected));
    result.critical.push(...queryFaults(claims, expected, now));
    result.ok.push(kinds[claims.purpose]);
  } catch (error) {
    if (!(error instanceof CheckFault) && !isTokenError(error)) throw error;
    result.critical.push(error.message);
  }
  return result;
}

/** Why a token cannot be looked at any further. */
class CheckFault extends Error {
  override readonly name = "CheckFault";
}

async function readClaims(file: string, expected: Expectations, now: number, result: CheckResult): Promise<Claims> {
  if (!isFile(file)) throw new CheckFault("token not found");
  const token = readTokenFile(file);
  const key = expected.issuer === undefined ? undefined : issuerKey(expected.issuer);
  const purpose = tokenPurpose(token);
  if (expected.purpose !== undefined && purposes[expected.purpose] !== purpose) {
    result.critical.push(`${purpose ?? ""} purpose`.trim());
  }
  if (purpose === undefined) throw new CheckFault("unknown token purpose");
  return key === undefined ? decodeClaims(parseToken(token).raw) : verifyToken(token, purpose, { key, now });
}

function tokenPurpose(token: string): TokenPurpose | undefined {
  try {
    return purposeOf(parseToken(token).raw);
  } catch {
    return undefined;
  }
}

function issuerKey(issuer: string) {
  try {
    return readVerifyKey(issuer);
  } catch (error) {
    throw new CheckFault("invalid issuer", { cause: error });
  }
}

function holderFaults(claims: Claims, { identity }: Expectations): string[] {
  if (claims.purpose === "choria_provisioning") return [];
  const holder = holderOf(claims) ?? "";
  return [
    ...(identity === undefined || identity === holder ? [] : [`identity ${holder}`]),
    ...(claims.public_key ? [] : ["no public key"]),
  ];
}

function chainFaults(claims: Claims, { chainIssuer, clientOpa }: Expectations): string[] {
  if (claims.purpose !== "choria_client_id") return [];
  const isIssuer = isVouchedChainIssuer(claims);
  return [
    ...(chainIssuer === undefined || chainIssuer === isIssuer ? [] : [`chain issuer: ${isIssuer}`]),
    ...(clientOpa && !claims.opa_policy ? ["no OPA policy"] : []),
  ];
}

function subjectFaults(claims: Claims, { sub = [], pub = [] }: Expectations): string[] {
  if (claims.purpose === "choria_provisioning") return [];
  const published = claims.pub_subjects ?? [];
  const subscribed = claims.purpose === "choria_client_id" ? (claims.sub_subjects ?? []) : sub;
  return [
    ...sub.filter((subject) => !subscribed.includes(subject)).map((subject) => `subscribe ${subject}`),
    ...pub.filter((subject) => !published.includes(subject)).map((subject) => `publish ${subject}`),
  ];
}

function queryFaults(claims: Claims, { query = [] }: Expectations, now: number): string[] {
  return query.flatMap((source) => {
    try {
      const compiled = compileExpr(source, { allowUndefined: true, boolean: true });
      return compiled.test({ ...claims }, { now: () => now }) ? [] : [source];
    } catch (error) {
      return [`invalid query: ${source}: ${errorText(error)}`];
    }
  });
}

function timeFaults(claims: StandardClaims, expires: number | undefined, expected: Expectations): string[] {
  const missing = [...(claims.jti ? [] : ["no id"]), ...(claims.nbf ? [] : ["no not before"])];
  if (expires === undefined) return ["no expires time", ...missing];
  if (expires <= 0) return ["expired", ...missing];
  const left = expires * 1_000;
  const { validityMin = 0, validityMax = Number.POSITIVE_INFINITY } = expected;
  const isOutside = left < validityMin || left > validityMax;
  return [...(isOutside ? [`expires in ${formatRemaining(left)}`] : []), ...missing];
}
