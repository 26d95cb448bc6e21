import { generateKey, verifySignature } from "../../lib/crypto/mod.ts";
import { systemClock } from "../../lib/std/mod.ts";
import { TokenVerifier, verifyToken } from "../../lib/tokens/mod.ts";
import { TestOrganization } from "../support/organization.ts";
import { median, report } from "./report.ts";

/** How often a second something can be done, one after another: the middle of three measurements. */
async function rate(work: () => unknown, ms = 300): Promise<number> {
  const rates: number[] = [];
  for (let round = 0; round < 3; round++) {
    const start = performance.now();
    let done = 0;
    for (; performance.now() - start < ms; done++) await work();
    rates.push((done * 1_000) / (performance.now() - start));
  }
  return median(rates);
}

const key = generateKey();
const message = crypto.getRandomValues(new Uint8Array(1_024));
const signature = key.sign(message);
const organization = new TestOrganization();
const direct = await organization.client({ callerid: "up=bob" });
const by = await organization.chainIssuer("aaa");
const chained = await organization.client({ callerid: "up=bob" }, { by });
const options = { key: { ed25519: organization.issuer.publicKey }, now: Date.now() };
const remembering = new TokenVerifier(systemClock);

const figures: readonly (readonly [work: string, () => unknown])[] = [
  ["Sign 1 KB", () => key.sign(message)],
  ["Verify a signature of 1 KB", () => verifySignature(key.publicKey, message, signature)],
  ["Verify a token of the organization", () => verifyToken(direct.token, "choria_client_id", options)],
  ["Verify a token with its chain", () => verifyToken(chained.token, "choria_client_id", options)],
  ["Verify a token seen before", () => remembering.verify(chained.token, "choria_client_id", options.key)],
  ["Issue a token with its chain", () => organization.client({ callerid: "up=bob" }, { by })],
];
for (const [work, run] of figures) report({ work, value: await rate(run), unit: "a second" });
