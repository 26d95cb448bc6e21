import { type Config, configFrom } from "../../../lib/config/mod.ts";
import { type Connection, connectBroker } from "../../../lib/connector/mod.ts";
import { selfSignedCertificate } from "../../../lib/crypto/mod.ts";
import { builtinDdl } from "../../../lib/ddl/mod.ts";
import type { Filter } from "../../../lib/protocol/mod.ts";
import { type Action, ActionError, type Agent, AgentHost, rpcAgent } from "../../../lib/rpc/mod.ts";
import { ReplayGuard, RequestVerifier } from "../../../lib/security/mod.ts";
import { encodeUtf8, silentLogger, systemClock } from "../../../lib/std/mod.ts";
import { type ClientPermissions, TokenVerifier } from "../../../lib/tokens/mod.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { startNats, type TestNats } from "../../support/nats.ts";
import { type Member, TestOrganization } from "../../support/organization.ts";

/** A network of nodes that live in the test's own process, on a plain nats-server. */
export interface TestNetwork extends AsyncDisposable {
  nats: TestNats;
  organization: TestOrganization;
  nodes: TestNode[];
  client: Member;
  /** A client's configuration; keys given replace its own. */
  config(changes?: Record<string, string>): Config;
  /** Put another node on the network. */
  addNode(identity: string, options?: NodeOptions): Promise<TestNode>;
  /** A connection of the test's own. */
  connect(): Promise<Connection>;
  file: (name: string) => string;
}

/** A node of a {@link TestNetwork}. */
export interface TestNode extends AsyncDisposable {
  identity: string;
  host: AgentHost;
  /** Names of the actions that were called, in order. */
  calls: string[];
  /** Its token and key. */
  member: Member;
  /** Its connection. */
  connection: Connection;
}

/** What is odd about a node. */
export interface NodeOptions {
  /** Who issues its token; the network's own organization by default. */
  organization?: TestOrganization;
  /** Replies are sent without a signature. */
  unsigned?: boolean;
  /** Actions of its rpcutil agent that differ. */
  actions?: Record<string, Action>;
  agents?: Agent[];
  /** Whether a filter means it. */
  matches?: (filter: Filter, agents: readonly string[]) => boolean;
}

const discovery: Agent = {
  metadata: {
    name: "discovery",
    description: "",
    author: "",
    license: "",
    version: "0.0.1",
    url: "",
    timeout: 2,
  },
  handle: async () => encodeUtf8("pong"),
};

/** What is odd about a network. */
export interface NetworkOptions {
  /** Connections are encrypted, as the command line expects. */
  tls?: boolean;
  /** More lines of nats-server's configuration. */
  nats?: string;
  /** Permissions in the client's token. */
  permissions?: ClientPermissions;
}

/** Start a network of `count` nodes named `n1.example.net` and so on. */
export async function testNetwork(count = 3, options: NetworkOptions = {}): Promise<TestNetwork> {
  const folder = temporaryFolder();
  const nats = await startNats(`${options.nats ?? ""}\n${options.tls ? await tlsBlock(folder.file) : ""}`);
  const organization = new TestOrganization();
  const { permissions = { fleet_management: true } } = options;
  const client = await organization.client({ callerid: "up=test", permissions });
  const { tokenFile, seedFile } = client.save(folder.file("client"));
  const connections: Connection[] = [];
  const connect = async () => {
    const connection = await connectBroker({
      servers: [nats.address],
      name: "test",
      login: () => ({}),
      inboxPrefix: "choria.reply.test",
      tls: options.tls ? {} : false,
      logger: silentLogger,
    });
    connections.push(connection);
    return connection;
  };
  const network: TestNetwork = {
    nats,
    organization,
    nodes: [],
    client,
    connect,
    file: folder.file,
    config: (changes = {}) =>
      configFrom({
        "plugin.choria.middleware_hosts": nats.address,
        "plugin.security.choria.token_file": tokenFile,
        "plugin.security.choria.seed_file": seedFile,
        "plugin.security.issuer.names": "choria",
        "plugin.security.issuer.choria.public": organization.issuer.publicKey,
        "plugin.choria.discovery.broadcast.windowed_timeout": "true",
        identity: "client.example.net",
        ...changes,
      }),
    async addNode(identity, options) {
      const node = await startNode(network, identity, options);
      network.nodes.push(node);
      return node;
    },
    async [Symbol.asyncDispose]() {
      for (const node of network.nodes) await node[Symbol.asyncDispose]();
      for (const connection of connections) await connection.close();
      await nats[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
  for (let i = 1; i <= count; i++) await network.addNode(`n${i}.example.net`);
  return network;
}

async function tlsBlock(file: (name: string) => string): Promise<string> {
  const { certificate, privateKey } = await selfSignedCertificate({ name: "localhost", alternatives: ["127.0.0.1"] });
  await Promise.all([Bun.write(file("tls.crt"), certificate), Bun.write(file("tls.key"), privateKey)]);
  return `tls { cert_file: "${file("tls.crt")}", key_file: "${file("tls.key")}" }`;
}

async function startNode(network: TestNetwork, identity: string, options: NodeOptions = {}): Promise<TestNode> {
  const connection = await network.connect();
  const member = await (options.organization ?? network.organization).server({ identity, collectives: ["choria"] });
  const calls: string[] = [];
  const agents = [discovery, rpcutil(identity, calls, options.actions ?? {}), ...(options.agents ?? [])];
  const host = new AgentHost({
    connection,
    identity,
    collectives: ["choria"],
    agents,
    verifier: new RequestVerifier({ issuers: network.organization.issuers }, new TokenVerifier(systemClock)),
    replay: new ReplayGuard(),
    matches: options.matches ?? ((filter) => plainMatch(filter, identity, agents)),
    clock: systemClock,
    logger: silentLogger,
    ...(options.unsigned ? {} : { credentials: () => member }),
  });
  await connection.flush();
  return { identity, host, calls, member, connection, [Symbol.asyncDispose]: () => host.stop() };
}

/** Filters on identities and agents; others mean nobody. */
function plainMatch(filter: Filter, identity: string, agents: readonly Agent[]): boolean {
  if (filter.fact.length > 0 || filter.cf_class.length > 0 || filter.compound.length > 0) return false;
  const names = agents.map(({ metadata }) => metadata.name);
  const isNamed = (wanted: string) =>
    wanted.startsWith("/") ? new RegExp(wanted.slice(1, -1)).test(identity) : wanted === identity;
  if (filter.identity.length > 0 && !filter.identity.some(isNamed)) return false;
  return filter.agent.every((agent) => names.includes(agent));
}

function rpcutil(identity: string, calls: string[], changes: Record<string, Action>): Agent {
  const ddl = builtinDdl("rpcutil");
  if (ddl === undefined) throw new Error("there is no rpcutil");
  const actions: Record<string, Action> = {
    ping: () => ({ pong: 1_795_322_284 }),
    get_fact: ({ fact }) => {
      if (fact !== "memory.size") throw new ActionError(`no fact ${fact}`);
      return { fact, value: identity.startsWith("n3") ? 8059 : 7959 };
    },
    ...changes,
  };
  const counted = Object.entries(actions).map(([name, action]): [string, Action] => [
    name,
    (data, context) => {
      calls.push(name);
      return action(data, context);
    },
  ]);
  return rpcAgent(ddl.metadata, Object.fromEntries(counted), { logger: silentLogger });
}
