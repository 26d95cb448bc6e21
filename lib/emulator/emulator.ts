import { type Config, formatConf } from "../config/mod.ts";
import { generateKey } from "../crypto/mod.ts";
import { CompiledFilters } from "../filter/mod.ts";
import { subjects } from "../protocol/mod.ts";
import { decodeProvisioningToken, type ProvisioningSettings, provisioningBrokers } from "../server/mod.ts";
import { type Clock, errorText, type Logger, systemClock } from "../std/mod.ts";
import { issueServerToken, type TokenSigner, TokenVerifier } from "../tokens/mod.ts";
import { Connections } from "./connections.ts";
import { EmulatedNode, type NodeEnvironment, type NodeState } from "./node.ts";
import { Pacer } from "./pacer.ts";

/** Nodes that come with credentials. */
export interface ProvisionedNodes {
  /** What they all have in common: brokers, issuers, authorization. */
  config: Config;
  /** Signs their tokens, on behalf of the organization. */
  issuer: TokenSigner;
}

/** What {@link startEmulator} emulates. */
export interface EmulatorOptions {
  /** How many nodes there are. */
  count: number;
  /** Names are `<prefix><number>.emulated.local`. @default "node" */
  namePrefix?: string;
  /** Text of the provisioning token by which nodes wait for a provisioner. */
  provisioningToken?: string;
  /** Nodes that are provisioned from the beginning. One of the two must be given. */
  provisioned?: ProvisionedNodes;
  /** Most connections opened in a second; 0 for no limit. @default 0 */
  connectionsPerSecond?: number;
  /** Unprovisioned nodes on one connection: their token is the same. @default 1 */
  nodesPerConnection?: number;
  logger: Logger;
  /** @default systemClock */
  clock?: Clock;
}

/** How many nodes are what. */
export type EmulatorCounts = Record<NodeState, number> & {
  /** Times that a node became provisioned. */
  provisionings: number;
};

/** Emulated nodes that run. */
export interface Emulator extends AsyncDisposable {
  readonly nodes: readonly EmulatedNode[];
  readonly counts: Readonly<EmulatorCounts>;
  /** Resolves when every node has joined the network once, or failed to. */
  readonly started: Promise<void>;
  /** All leave. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Run many nodes in this process, for tests and for finding out what a network can bear.
 *
 * @throws {Error} when neither a provisioning token nor an issuer is given, or no broker is found.
 */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const { clock = systemClock, connectionsPerSecond = 0 } = options;
  const stopping = new AbortController();
  const counts: EmulatorCounts = { stopped: 0, connecting: 0, unprovisioned: 0, provisioned: 0, provisionings: 0 };
  const environment: NodeEnvironment = {
    ...(await provisioningParts(options, stopping.signal, clock)),
    tokens: new TokenVerifier(clock),
    filters: new CompiledFilters(),
    pacer: new Pacer(clock, connectionsPerSecond),
    clock,
    logger: options.logger,
    signal: stopping.signal,
    onState: (node, from) => {
      counts[from]--;
      counts[node.state]++;
      if (node.state === "provisioned") counts.provisionings++;
    },
  };
  const nodes = await createNodes(options, environment, clock);
  counts.stopped = nodes.length;
  const started = startAll(nodes, environment);
  const stop = async () => {
    stopping.abort();
    await Promise.all(nodes.map((node) => node.stop()));
  };
  return { nodes, counts, started, stop, [Symbol.asyncDispose]: stop };
}

async function startAll(nodes: readonly EmulatedNode[], { logger, signal }: NodeEnvironment): Promise<void> {
  const start = async (node: EmulatedNode) => {
    try {
      await node.start();
    } catch (error) {
      if (!signal.aborted) {
        logger.error("An emulated node could not start", { identity: node.identity, reason: errorText(error) });
      }
    }
  };
  await Promise.all(nodes.map(start));
}

async function provisioningParts(
  options: EmulatorOptions,
  signal: AbortSignal,
  clock: Clock,
): Promise<Pick<NodeEnvironment, "settings" | "unprovisioned">> {
  const { provisioningToken, provisioned, nodesPerConnection = 1, connectionsPerSecond = 0, logger } = options;
  if (provisioningToken === undefined) {
    if (provisioned === undefined) throw new Error("Cannot emulate nodes: neither a provisioning token nor an issuer");
    return {};
  }
  const settings: ProvisioningSettings = decodeProvisioningToken(provisioningToken, "/emulated/provisioning.jwt");
  const servers = await provisioningBrokers(settings);
  if (servers.length === 0) throw new Error("Cannot emulate nodes: the provisioning token leads to no broker");
  const unprovisioned = new Connections({
    servers,
    inboxPrefix: subjects.inbox("provisioning"),
    share: nodesPerConnection,
    pacer: new Pacer(clock, connectionsPerSecond),
    clock,
    logger,
    signal,
  });
  return { settings, unprovisioned };
}

async function createNodes(
  { count, namePrefix = "node", provisioned }: EmulatorOptions,
  environment: NodeEnvironment,
  clock: Clock,
): Promise<EmulatedNode[]> {
  const nodes: EmulatedNode[] = [];
  for (let number = 0; number < count; number++) {
    const identity = `${namePrefix}${number}.emulated.local`;
    const files = provisioned === undefined ? {} : await credentials(identity, provisioned, clock);
    nodes.push(new EmulatedNode(identity, environment, { files, facts: { identity, number, parity: number % 2 } }));
  }
  return nodes;
}

async function credentials(
  identity: string,
  { config, issuer }: ProvisionedNodes,
  clock: Clock,
): Promise<Record<string, string>> {
  const key = generateKey();
  const token = await issueServerToken(
    { identity, collectives: config.collectives, public_key: key.publicKey, permissions: { streams: true } },
    { signer: issuer, now: clock.now(), validity: 365 * 86_400_000 },
  );
  const folder = `/emulated/${identity}`;
  const own: Record<string, string> = {
    identity,
    "plugin.security.choria.token_file": `${folder}/server.jwt`,
    "plugin.security.choria.seed_file": `${folder}/server.seed`,
  };
  const common = [...config.entries()].map(([name, { value }]): [string, string] => [name, value]);
  const settings = new Map([...common, ...Object.entries(own)]);
  return { "server.conf": formatConf(settings), "server.jwt": token, "server.seed": key.seed };
}
