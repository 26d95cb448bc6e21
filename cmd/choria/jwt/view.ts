import { Command } from "commander";
import { errorText, type Json } from "../../../lib/std/mod.ts";
import {
  type Claims,
  decodeClaims,
  isExpired,
  parseToken,
  purposeOf,
  readTokenFile,
  readVerifyKey,
  verifyToken,
} from "../../../lib/tokens/mod.ts";
import { claimsLines, kindNames } from "./claims_view.ts";
import type { JwtContext } from "./context.ts";

/** `choria jwt view FILE [PUBLIC]`. */
export function viewCommand(context: JwtContext): Command {
  return new Command("view")
    .aliases(["show", "v"])
    .summary("Show what a token says")
    .description("Show what a token says and, with a public key, whether that key stands behind it.")
    .argument("<file>", "file with the token")
    .argument("[public]", "public key to check it against: 64 hex characters or a file, also of RSA in PEM")
    .option("--json", "show the claims as JSON")
    .addHelpText("after", "\nExample:\n  $ choria jwt view server.jwt issuer.public")
    .action((file: string, key: string | undefined, flags: { json?: boolean }) =>
      viewToken(file, key, flags.json ?? false, context),
    );
}

/**
 * Show a token. An expired one is shown as well, and lets the process end with 1.
 *
 * @param key Verify against this key: hex or a file.
 * @throws {Error} `could not parse token: …` when it is damaged or, with a key, does not hold.
 */
export async function viewToken(
  file: string,
  key: string | undefined,
  asJson: boolean,
  context: JwtContext,
): Promise<void> {
  const token = readTokenFile(file);
  const now = context.clock.now();
  const { raw, claims } = await explained(async () => {
    const { raw } = parseToken(token);
    if (key !== undefined) await verify(token, key, now);
    return { raw, claims: purposeOf(raw) === undefined ? undefined : decodeClaims(raw) };
  });
  if (asJson || claims === undefined) {
    context.out.write(`${JSON.stringify(sorted(raw as Json), null, 2)}\n`);
    return;
  }
  const title = `${key === undefined ? "Unvalidated" : "Validated"} ${kindNames[claims.purpose]} Token ${file}`;
  context.out.write(`${[title, "", ...claimsLines(claims, now)].join("\n")}\n`);
  if (isExpired(claims, now)) context.setExitCode(1);
}

async function verify(token: string, key: string, now: number): Promise<Claims> {
  const purpose = purposeOf(parseToken(token).raw);
  if (purpose === undefined) throw new Error("unknown token purpose");
  return verifyToken(token, purpose, { key: readVerifyKey(key), now });
}

async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Error(`could not parse token: ${errorText(error)}`, { cause: error });
  }
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
