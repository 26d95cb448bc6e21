/**
 * Makes the secrets of a network in Kubernetes and a kustomization that holds them, with this folder as its base:
 *
 *   bun run containers/kubernetes/prepare.ts --images registry.example.net/choria --tag 1.0 --with client
 *   kubectl apply --kustomize .choria/kubernetes
 *
 * A second run keeps what is there: keys, passwords, and the users that were added to users.json. Nobody but the owner
 * may read the folder; the issuer's seed in it goes into no Secret.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { stringify } from "yaml";
import { formatConf } from "../../lib/config/mod.ts";
import { createCredentials, Layout } from "../../lib/setup/mod.ts";
import { errorText, isFile, writeFileAtomic } from "../../lib/std/mod.ts";

const usage = `Usage: prepare.ts [FOLDER] [--images PREFIX] [--tag TAG] [--with COMPONENT,…] [--brokers URLS]

Makes credentials and a kustomization of them; FOLDER is .choria/kubernetes of the checkout where none is named.

  --images PREFIX   where the cluster gets the images from (localhost/choria)
  --tag TAG         their tag (latest)
  --with NAMES      what the network has besides: client, external, manage-node
  --brokers URLS    where servers outside the cluster find the brokers, comma separated
`;

const roles = ["broker", "aaa", "provisioner", "replicator", "plugins", "server", "client"];
const components = ["client", "external", "manage-node"];
const users = ["admin", "streams", "choria"] as const;
/** Each is named: who has lost one goes on with the next at once, whatever a Service still holds for ready. */
const brokerHosts = [0, 1, 2].map((index) => `choria-broker-${index}.choria-brokers.choria.svc`);
const brokers = brokerHosts.map((host) => `nats://${host}:4222`).join(",");
const brokerNames = ["choria-broker.choria.svc", ...brokerHosts, ...brokerHosts.map((host) => `${host}.cluster.local`)];
const aaaNames = ["choria-aaa.choria.svc", "choria-aaa.choria.svc.cluster.local"];
const image = { credentials: "/etc/choria-provisioner/credentials", rego: "/etc/aaasvc/aaa" };

/** What nobody but the roles and the operator knows. */
interface Passwords {
  /** Shared by the brokers. */
  peers: string;
  /** Shared by provisioner, broker and new nodes. */
  provisioning: string;
  /** Of the brokers' user `system`. */
  system: string;
  /** Of those who log in, by name. */
  users: Record<string, string>;
}

interface Options {
  folder: string;
  images: string;
  tag: string;
  with: string[];
  /** Every URL by which servers may find a broker; each tries one after another. */
  brokers: string;
}

function readOptions(): Options | undefined {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      images: { type: "string", default: "localhost/choria" },
      tag: { type: "string", default: "latest" },
      with: { type: "string", default: "" },
      brokers: { type: "string", default: "" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  const [folder = resolve(import.meta.dir, "../../.choria/kubernetes"), ...surplus] = positionals;
  if (surplus.length > 0) throw new Error(`unexpected argument ${surplus[0]}`);
  const wanted = values.with.split(",").filter((name) => name !== "");
  const unknown = wanted.find((name) => !components.includes(name));
  if (unknown !== undefined) throw new Error(`unknown component "${unknown}", expected ${components.join(", ")}`);
  const known = [brokers, values.brokers].filter((urls) => urls !== "").join(",");
  return { ...values, brokers: known, folder: resolve(folder), with: wanted };
}

async function prepare(options: Options): Promise<void> {
  const { folder } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const layout = new Layout(folder);
  refuseNewIssuer(layout);
  const passwords = keepPasswords(join(folder, "passwords.json"));
  const issuer = await createCredentials(layout, options.brokers, {
    secret: passwords.provisioning,
    brokerNames,
    aaaNames,
  });
  const files: Record<string, string> = {
    "broker/choria.cfg": brokerSecrets(passwords),
    "broker/security.cfg": trust(issuer, ""),
    "provisioner/provisioner.yaml": provisionerYaml(passwords, issuer),
    "provisioner/helper.json": helperSettings(layout, options.brokers, issuer),
    "client/client.conf": clientConf(passwords, issuer),
    ...(isFile(layout.config("aaa", "users.json")) ? {} : { "aaa/users.json": await userList(passwords) }),
  };
  for (const [name, content] of Object.entries(files)) {
    writeFileAtomic(join(folder, "config", name), content, { mode: 0o600, makeFolders: true });
  }
  writeFileAtomic(join(folder, "kustomization.yaml"), kustomization(options), { mode: 0o600 });
}

/** Without its seed there would be another issuer, whom nobody trusts that was there before. */
function refuseNewIssuer(layout: Layout): void {
  const seed = layout.credential("issuer", "issuer.seed");
  if (!isFile(layout.credential("issuer", "issuer.public")) || isFile(seed)) return;
  throw new Error(`Cannot go on without the issuer's seed: bring it back to ${seed} while this runs`);
}

function keepPasswords(file: string): Passwords {
  const kept = isFile(file) ? (JSON.parse(readFileSync(file, "utf8")) as Partial<Passwords>) : {};
  const fresh = () => randomBytes(24).toString("base64url");
  const passwords: Passwords = {
    peers: kept.peers ?? randomBytes(32).toString("base64url"),
    provisioning: kept.provisioning ?? fresh(),
    system: kept.system ?? fresh(),
    users: kept.users ?? Object.fromEntries(users.map((name) => [name, fresh()])),
  };
  writeFileAtomic(file, `${JSON.stringify(passwords, null, 2)}\n`, { mode: 0o600 });
  return passwords;
}

/** Files in `plugin.d` give keys that begin with `plugin.` and the file's name. */
function brokerSecrets({ peers, provisioning, system }: Passwords): string {
  return formatConf([
    ["network.peer_secret", peers],
    ["network.provisioning.client_password", provisioning],
    ["network.system.user", "system"],
    ["network.system.password", system],
  ]);
}

function trust(issuer: string, prefix: string): string {
  return formatConf([
    [`${prefix}issuer.names`, "choria"],
    [`${prefix}issuer.choria.public`, issuer],
  ]);
}

function provisionerYaml({ provisioning }: Passwords, issuer: string): string {
  return stringify({
    workers: 4,
    interval: "1m",
    logfile: "stdout",
    loglevel: "info",
    helper: "/opt/choria/containers/provisioner/helper.ts",
    helper_module: true,
    token: provisioning,
    choria_insecure: false,
    site: "kubernetes",
    monitor_port: 8083,
    broker_provisioning_password: provisioning,
    jwt_verify_cert: issuer,
    jwt_signing_key: `${image.credentials}/signer.seed`,
    jwt_signing_token: `${image.credentials}/signer.jwt`,
    leader_election: true,
    features: { jwt: true, ed25519: true },
  });
}

function helperSettings(layout: Layout, brokers: string, issuer: string): string {
  const pluginSigner = readFileSync(layout.credential("client", "plugin-signer.public"), "utf8").trim();
  return `${JSON.stringify({ brokers, issuer, pluginSigner, layout: "system" }, null, 2)}\n`;
}

function clientConf({ system }: Passwords, issuer: string): string {
  const own = "~/.config/choria";
  const settings = formatConf([
    ["loglevel", "warn"],
    ["plugin.choria.middleware_hosts", brokers],
    ["plugin.choria.use_srv", "false"],
    ["plugin.choria.discovery.broadcast.windowed_timeout", "true"],
    ["plugin.choria.security.request_signer.service", "true"],
    ["plugin.login.aaasvc.login.url", "https://choria-aaa.choria.svc:8080/choria/v1/login"],
    ["plugin.choria.network.system.user", "system"],
    ["plugin.choria.network.system.password", system],
    ["plugin.security.provider", "choria"],
    ["plugin.security.choria.token_file", `${own}/client.jwt`],
    ["plugin.security.choria.seed_file", `${own}/client.key`],
    ["plugin.choria.services.registry.cache", `${own}/registry`],
  ]);
  return settings + trust(issuer, "plugin.security.");
}

async function userList({ users: passwords }: Passwords): Promise<string> {
  const rights: Record<(typeof users)[number], { broker_permissions: object; opa_policy_file?: string }> = {
    admin: {
      opa_policy_file: `${image.rego}/admin.rego`,
      broker_permissions: { org_admin: true, system_user: true, signed_fleet_management: true },
    },
    streams: { broker_permissions: { streams_admin: true } },
    choria: {
      opa_policy_file: `${image.rego}/choria.rego`,
      broker_permissions: { signed_fleet_management: true, events_viewer: true },
    },
  };
  const list = users.map(async (username) => {
    const password = await Bun.password.hash(passwords[username] ?? "", { algorithm: "bcrypt", cost: 10 });
    return { username, password, ...rights[username] };
  });
  return `${JSON.stringify(await Promise.all(list), null, 2)}\n`;
}

interface Secret {
  name: string;
  namespace: string;
  type?: string;
  files: string[];
}

function secrets(): Secret[] {
  const secret = (name: string, owner: string, ...files: string[]): Secret => {
    return { name, namespace: "choria", files: files.map((file) => `${owner}/${file}`) };
  };
  const certificate = (name: string, owner: string): Secret => ({
    name,
    namespace: "choria",
    type: "kubernetes.io/tls",
    files: [`tls.crt=credentials/${owner}/public.crt`, `tls.key=credentials/${owner}/private.key`],
  });
  const pair = (...names: string[]) => names.flatMap((name) => [`${name}.jwt`, `${name}.seed`]);
  return [
    secret("broker-secrets", "config/broker", "choria.cfg", "security.cfg"),
    secret("broker-credentials", "credentials/broker", ...pair("broker")),
    certificate("broker-tls", "broker"),
    secret("aaa-users", "config/aaa", "users.json"),
    secret(
      "aaa-credentials",
      "credentials/aaasvc",
      ...pair("signer-service", "request-signer", "chain-signer"),
      "chain-signer.public",
    ),
    certificate("aaa-tls", "aaasvc"),
    secret("provisioner-settings", "config/provisioner", "provisioner.yaml", "helper.json"),
    secret("provisioner-credentials", "credentials/provisioner", ...pair("signer")),
    secret("replicator-credentials", "credentials/stream-replicator", ...pair("choria")),
    secret("client-config", "config/client", "client.conf"),
    { ...secret("server-provisioning", "credentials/server", "provisioning.jwt"), namespace: "choria-nodes" },
  ];
}

function kustomization({ folder, images, tag, with: wanted }: Options): string {
  const base = relative(folder, import.meta.dir);
  return stringify({
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    resources: [base],
    ...(wanted.length === 0 ? {} : { components: wanted.map((name) => join(base, name)) }),
    images: roles.map((role) => ({ name: `localhost/choria/${role}`, newName: `${images}/${role}`, newTag: tag })),
    secretGenerator: secrets(),
  });
}

try {
  const options = readOptions();
  if (options === undefined) console.log(usage);
  else {
    await prepare(options);
    console.log(`Secrets and a kustomization of them are in ${options.folder}; passwords.json says who logs in with what.

  kubectl apply --kustomize ${options.folder}`);
  }
} catch (error) {
  console.error(`prepare: ${errorText(error)}`);
  process.exitCode = 1;
}
