import { decodeHex, verifySignature } from "../crypto/mod.ts";
import type { Semaphore } from "../std/mod.ts";
import { type Clock, encodeUtf8, errorText, type JsonObject, type Logger } from "../std/mod.ts";
import { type ProvisioningClaims, type VerifyKey, verifyToken } from "../tokens/mod.ts";
import { claimsDocument } from "./_claims.ts";
import type { ProvisionerConfig } from "./config.ts";
import { encodeSorted, type Helper, type HelperReply, type HelperRequest } from "./helper.ts";
import type { ProvisionerMetrics } from "./metrics.ts";
import type { NodeCalls } from "./node_calls.ts";
import { DeferredError, type NodeOutcome, type NodeTurn } from "./node_turn.ts";
import { issueNodeToken, type ServerTokenIssuer } from "./server_token.ts";
import { encryptTlsKey } from "./tls_key.ts";
import { isSameVersion } from "./versions.ts";

/** What is needed to provision a node. */
export interface ProvisioningTools {
  config: ProvisionerConfig;
  helper: Helper;
  /** Places for helpers. */
  helperPlaces: Semaphore;
  metrics: Pick<ProvisionerMetrics, "count" | "helperTook">;
  /** The organization issuer's key, read for each node. */
  verifyKey: () => VerifyKey;
  /** Who issues server tokens, read for each node. */
  issuer: () => ServerTokenIssuer;
  clock: Clock;
  logger: Logger;
}

const quick = 5_000;
const slow = 10_000;

/** What is known of a node on the way. */
interface Interview {
  claims?: ProvisioningClaims;
  /** The node's half of a key exchange. */
  exchangeKey: string;
  serverKey?: { public_key: string; directory: string; signature: string };
  inventory: JsonObject;
  csr?: { csr: string; public_key: string; ssldir: string };
}

/**
 * Provision a node: verify its token, have it make a key, ask the helper, issue its server token, configure it and
 * have it start again.
 *
 * @throws {Error} saying at which step it failed; nothing is kept of it, the next try begins anew.
 */
export async function provisionNode(
  node: string,
  calls: NodeCalls,
  tools: ProvisioningTools,
  turn: Pick<NodeTurn, "enter" | "signal">,
): Promise<NodeOutcome> {
  const { config, logger } = tools;
  const interview = await interviewNode(node, calls, tools, turn);
  const reply = await askHelper(node, interview, tools, turn.signal);
  if (reply.msg !== "") logger.info("The helper answered", { identity: node, reply: reply.msg });
  if (reply.defer) throw new DeferredError(reply.msg);
  if (reply.shutdown) return shutDown(node, reply, calls, tools);
  const serverToken = await makeServerToken(node, interview, reply, tools);
  if (await upgrade(node, interview, reply, calls, tools)) return "upgraded";
  await configure(interview, reply, serverToken, calls, config);
  const restart = { splay: 1, token: config.token };
  await calls.call("choria_provision#restart", restart, { tries: 3, timeout: quick });
  return "provisioned";
}

async function interviewNode(
  node: string,
  calls: NodeCalls,
  tools: ProvisioningTools,
  { enter }: Pick<NodeTurn, "enter">,
): Promise<Interview> {
  const { features } = tools.config;
  const token = features.jwt ? await askToken(node, calls, tools) : { exchangeKey: "" };
  await enter();
  const key = features.ed25519 ? { serverKey: await askKey(calls, tools) } : {};
  const inventory = await calls.call("rpcutil#inventory", {}, { tries: 5, timeout: quick });
  const csr = features.pki ? { csr: await askCsr(node, calls, tools) } : {};
  return { ...token, ...key, ...csr, inventory };
}

async function askToken(
  node: string,
  calls: NodeCalls,
  { config, verifyKey, clock }: ProvisioningTools,
): Promise<{ claims: ProvisioningClaims; exchangeKey: string }> {
  if (config.verifyKey === "") throw new Error("no JWT verification certificate configured, cannot validate JWT");
  const data = { token: config.token };
  const { jwt, ecdh_public } = await calls.call("choria_provision#jwt", data, { tries: 3, timeout: quick });
  if (typeof jwt !== "string" || jwt === "") throw new Error("no JWT received");
  try {
    const claims = await verifyToken(jwt, "choria_provisioning", { key: verifyKey(), now: clock.now() });
    return { claims, exchangeKey: typeof ecdh_public === "string" ? ecdh_public : "" };
  } catch (error) {
    throw new Error(`could not validate JWT: ${node}: ${errorText(error)}`, { cause: error });
  }
}

/** The node makes a key and signs our nonce with it, so that the key is surely its own. */
async function askKey(calls: NodeCalls, { config }: ProvisioningTools) {
  const nonce = crypto.randomUUID().replaceAll("-", "");
  const data = { nonce, token: config.token };
  const answer = await calls.call("choria_provision#gen25519", data, { tries: 5, timeout: quick });
  const { public_key, directory, signature } = answer;
  if (typeof public_key !== "string" || public_key === "") throw new Error("no public key received");
  if (typeof signature !== "string" || signature === "") throw new Error("no signature received");
  const bytes = decodeHex(signature);
  if (bytes === undefined) throw new Error("invalid signature");
  if (!verifySignature(public_key, encodeUtf8(nonce), bytes)) throw new Error("invalid nonce signature");
  return { public_key, directory: typeof directory === "string" ? directory : "", signature };
}

async function askCsr(node: string, calls: NodeCalls, { config }: ProvisioningTools) {
  const data = { cn: node, token: config.token };
  const { csr, public_key, ssldir } = await calls.call("choria_provision#gencsr", data, { tries: 1, timeout: slow });
  if (typeof csr !== "string" || csr === "") throw new Error("no CSR received");
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  return { csr, public_key: text(public_key), ssldir: text(ssldir) };
}

async function askHelper(
  node: string,
  interview: Interview,
  { helper, helperPlaces, metrics, clock }: ProvisioningTools,
  signal: AbortSignal,
): Promise<HelperReply> {
  const { claims, serverKey = null, csr = null, inventory } = interview;
  const request: HelperRequest = {
    identity: node,
    csr,
    ed25519_pubkey: serverKey,
    inventory: encodeSorted(inventory),
    jwt: claims === undefined ? null : claimsDocument(claims),
  };
  return helperPlaces.run(async () => {
    const started = clock.now();
    try {
      return await helper.ask(request, signal);
    } catch (error) {
      metrics.count("helper_errors");
      throw error;
    } finally {
      metrics.helperTook(clock.now() - started);
    }
  });
}

async function shutDown(
  node: string,
  { msg }: HelperReply,
  calls: NodeCalls,
  { config, logger, metrics }: ProvisioningTools,
): Promise<NodeOutcome> {
  metrics.count("helper_shutdown_requests");
  logger.warn("Shutting down host based on helper output", { identity: node, reply: msg });
  try {
    await calls.call("choria_provision#shutdown", { token: config.token }, { tries: 3, timeout: quick });
  } catch (error) {
    logger.warn("The node could not be shut down", { identity: node, reason: errorText(error) });
  }
  return "shutdown";
}

async function makeServerToken(
  node: string,
  { serverKey }: Interview,
  reply: HelperReply,
  { config, issuer, clock, logger }: ProvisioningTools,
): Promise<string> {
  if (Object.keys(reply.configuration).length === 0) throw new Error("empty configuration");
  if (serverKey === undefined) return "";
  return issueNodeToken(
    {
      identity: node,
      publicKey: serverKey.public_key,
      reply,
      validity: config.serverValidity,
      now: clock.now(),
      logger,
    },
    issuer(),
  );
}

/** Whether the node was told to replace itself; it then comes back to be provisioned. */
async function upgrade(
  node: string,
  { inventory }: Interview,
  reply: HelperReply,
  calls: NodeCalls,
  { config, logger }: ProvisioningTools,
): Promise<boolean> {
  if (!config.features.upgrades || reply.upgrade === "") return false;
  try {
    const repository = config.upgradesRepository;
    if (repository === "") throw new Error("updates_repository not configured for upgrades feature");
    if (typeof inventory.version !== "string" || inventory.upgradable !== true) {
      throw new Error("does not support upgrades");
    }
    if (isSameVersion(inventory.version, reply.upgrade)) return false;
    logger.info("Upgrading a node", { identity: node, from: inventory.version, to: reply.upgrade });
    const data = { repository, token: config.token, version: reply.upgrade };
    await calls.call("choria_provision#release_update", data, { tries: 3, timeout: 60_000 });
    return true;
  } catch (error) {
    if (!config.upgradesOptional) throw error;
    logger.warn("A node could not be upgraded and keeps its version", { identity: node, reason: errorText(error) });
    return false;
  }
}

async function configure(
  { exchangeKey }: Interview,
  reply: HelperReply,
  serverToken: string,
  calls: NodeCalls,
  { token }: ProvisionerConfig,
): Promise<void> {
  const tls = reply.key === "" ? { key: "", publicKey: "" } : encryptTlsKey(reply.key, exchangeKey);
  const data = {
    action_policies: reply.action_policies,
    ca: reply.ca,
    certificate: reply.certificate,
    config: encodeSorted(reply.configuration),
    ecdh_public: tls.publicKey,
    key: tls.key,
    opa_policies: reply.opa_policies,
    server_jwt: serverToken,
    ssldir: reply.ssldir,
    token,
  };
  await calls.call("choria_provision#configure", data, { tries: 5, timeout: slow });
}
