import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { loadAaaConfig } from "../../lib/aaa/mod.ts";
import { checkBrokerSettings } from "../../lib/broker/mod.ts";
import { loadConfig } from "../../lib/config/mod.ts";
import { loadProvisionerConfig } from "../../lib/provisioner/mod.ts";
import { loadReplicatorConfig } from "../../lib/replicator/mod.ts";
import { decodeTokenUnverified, readTokenFile } from "../../lib/tokens/mod.ts";
import { run } from "../support/compose.ts";
import { temporaryFolder } from "../support/folder.ts";
import { freePort } from "../support/ports.ts";
import { waitFor } from "../support/wait.ts";

const checkout = resolve(import.meta.dir, "../..");
const folder = join(checkout, "containers/kubernetes");

interface Port {
  name?: string;
  port?: number | string;
  containerPort?: number;
  targetPort?: number | string;
}

interface Source {
  name?: string;
  secretName?: string;
  items?: { key: string; path: string }[];
}

interface Volume {
  name: string;
  configMap?: Source;
  secret?: Source;
  projected?: { sources: { configMap?: Source; secret?: Source }[] };
  hostPath?: { path: string };
  persistentVolumeClaim?: { claimName: string };
}

interface Probe {
  httpGet?: Port;
  tcpSocket?: Port;
}

interface Container {
  name: string;
  image: string;
  ports?: Port[];
  volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[];
  startupProbe?: Probe;
  readinessProbe?: Probe;
  livenessProbe?: Probe;
  resources: { requests: Record<string, string>; limits: Record<string, string> };
  securityContext: {
    runAsUser?: number;
    allowPrivilegeEscalation: boolean;
    readOnlyRootFilesystem: boolean;
    capabilities: { drop: string[] };
  };
}

interface PodSpec {
  serviceAccountName?: string;
  automountServiceAccountToken?: boolean;
  hostPID?: boolean;
  hostNetwork?: boolean;
  securityContext: { runAsNonRoot?: boolean; runAsUser?: number; seccompProfile: { type: string } };
  containers: Container[];
  volumes: Volume[];
}

interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values: string[] }[];
}

interface Peer {
  podSelector?: Selector;
  namespaceSelector?: Selector;
  ipBlock?: { cidr: string };
}

interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  spec: {
    replicas?: number;
    serviceName?: string;
    selector?: Selector & Record<string, unknown>;
    ports?: Port[];
    podSelector?: Selector;
    ingress?: { from: Peer[]; ports: Port[] }[];
    egress?: { to: Peer[]; ports: Port[] }[];
    volumeClaimTemplates?: { metadata: { name: string } }[];
    template?: { metadata: { labels: Record<string, string> }; spec: PodSpec };
  };
}

interface Generator {
  name: string;
  namespace: string;
  files: string[];
}

interface Kustomization {
  resources?: string[];
  configMapGenerator?: Generator[];
  secretGenerator?: Generator[];
  images?: { name: string; newName: string; newTag: string }[];
}

function read<T>(file: string): T {
  return parse(readFileSync(file, "utf8")) as T;
}

/** What a kustomization lists, as it is in the files: patches are left out. */
function resources(at: string): Manifest[] {
  const { resources: files = [] } = read<Kustomization>(join(at, "kustomization.yaml"));
  return files.flatMap((file) =>
    parseAllDocuments(readFileSync(join(at, file), "utf8")).map((document) => {
      expect(document.errors).toEqual([]);
      return document.toJS() as Manifest;
    }),
  );
}

const manifests = [folder, join(folder, "client"), join(folder, "external")].flatMap(resources);
const workloads = manifests.flatMap((manifest) => {
  const { template } = manifest.spec ?? {};
  return template === undefined ? [] : [{ manifest, name: manifest.metadata.name, ...template }];
});
type Workload = (typeof workloads)[number];

const prepared = temporaryFolder();
afterAll(() => prepared[Symbol.dispose]());
const preparation = await prepare();
const secrets = read<Kustomization>(prepared.file("kustomization.yaml")).secretGenerator ?? [];
const configMaps = read<Kustomization>(join(folder, "kustomization.yaml")).configMapGenerator ?? [];

function prepare(...more: string[]) {
  const script = join(folder, "prepare.ts");
  const flags = ["--images", "registry.example.net/choria", "--tag", "1.0", "--with", "client,external,manage-node"];
  return run([process.execPath, script, prepared.path, ...flags, ...more]);
}

/** Files of a ConfigMap or Secret by key; undefined where nobody makes it. */
function entries(generators: Generator[], base: string, name: string, namespace = ""): Map<string, string> | undefined {
  const found = generators.find((each) => each.name === name && each.namespace === namespace);
  if (found === undefined) return undefined;
  return new Map(
    found.files.map((file) => {
      const [key = "", path = key] = file.includes("=") ? file.split("=") : [file.split("/").at(-1), file];
      return [key, readFileSync(join(base, path), "utf8")];
    }),
  );
}

/** What a pod finds where, from ConfigMaps and Secrets. */
function mounted({ manifest, spec }: Workload): Map<string, string> {
  const files = new Map<string, string>();
  const { namespace } = manifest.metadata;
  for (const { name, mountPath } of spec.containers.flatMap(({ volumeMounts }) => volumeMounts)) {
    const volume = spec.volumes.find((each) => each.name === name);
    for (const { configMap, secret } of [volume ?? {}, ...(volume?.projected?.sources ?? [])] as Volume[]) {
      const source = configMap ?? secret;
      if (source === undefined) continue;
      const wanted = source.secretName ?? source.name ?? "";
      const found = configMap
        ? entries(configMaps, folder, wanted, namespace)
        : entries(secrets, prepared.path, wanted, namespace);
      if (found === undefined) throw new Error(`${manifest.metadata.name}: nobody makes ${wanted}`);
      const items = source.items ?? [...found.keys()].map((key) => ({ key, path: key }));
      for (const { key, path } of items) {
        const content = found.get(key);
        if (content === undefined) throw new Error(`${manifest.metadata.name}: ${wanted} has no ${key}`);
        files.set(join(mountPath, path), content);
      }
    }
  }
  return files;
}

function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Record<string, string>): boolean {
  const isEqual = Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
  return isEqual && matchExpressions.every(({ key, values }) => values.includes(labels[key] ?? ""));
}

function find(kind: string, name: string): Manifest {
  const found = manifests.find((each) => each.kind === kind && each.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
}

function workload(name: string): Workload {
  const found = workloads.find((each) => each.name === `choria-${name}`);
  if (found === undefined) throw new Error(`there is no workload choria-${name}`);
  return found;
}

function portNames(spec: PodSpec): (string | undefined)[] {
  return spec.containers.flatMap(({ ports = [] }) => ports.map(({ name }) => name));
}

test("the secrets are made by a script, and a second run keeps them", async () => {
  expect(preparation).toMatchObject({ code: 0, err: "" });
  const before = readAll(prepared.path);
  expect(before.size).toBeGreaterThan(20);
  expect(await prepare()).toMatchObject({ code: 0 });
  expect(readAll(prepared.path)).toEqual(before);
  const files = secrets.flatMap((secret) => secret.files);
  expect(files.filter((file) => file.includes("issuer"))).toEqual([]);
  expect(await prepare("--with", "nonsense")).toMatchObject({ code: 1 });
  const seed = prepared.file("credentials/issuer/issuer.seed");
  renameSync(seed, `${seed}.away`);
  const { code, err } = await prepare();
  renameSync(`${seed}.away`, seed);
  expect(err).toContain("Cannot go on without the issuer's seed");
  expect(code).toBe(1);
  expect(readAll(prepared.path)).toEqual(before);
});

function readAll(at: string): Map<string, string> {
  const files = readdirSync(at, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map((entry) => [
      join(entry.parentPath, entry.name),
      readFileSync(join(entry.parentPath, entry.name), "utf8"),
    ]),
  );
}

describe("every reference of a manifest resolves", () => {
  test.each(workloads.map((each) => [each.name, each] as const))("%s", (name, each) => {
    const { manifest, metadata, spec } = each;
    expect(selects(manifest.spec.selector ?? {}, metadata.labels)).toBe(true);
    const account = spec.serviceAccountName;
    if (account !== undefined) {
      expect(find("ServiceAccount", account).metadata.namespace).toBe(manifest.metadata.namespace ?? "");
    }
    const claimed = (manifest.spec.volumeClaimTemplates ?? []).map((claim) => claim.metadata.name);
    const volumes = [...spec.volumes.map((volume) => volume.name), ...claimed];
    for (const container of spec.containers) {
      const mounts = container.volumeMounts.map((mount) => mount.name);
      expect(volumes).toEqual(expect.arrayContaining(mounts));
      for (const probe of [container.startupProbe, container.readinessProbe, container.livenessProbe]) {
        const port = probe?.httpGet?.port ?? probe?.tcpSocket?.port;
        if (port !== undefined) expect(portNames(spec)).toContain(String(port));
      }
    }
    const mounts = spec.containers.flatMap((container) => container.volumeMounts.map((mount) => mount.name));
    expect(mounts).toEqual(expect.arrayContaining(volumes));
    for (const { persistentVolumeClaim } of spec.volumes) {
      if (persistentVolumeClaim) find("PersistentVolumeClaim", persistentVolumeClaim.claimName);
    }
    if (manifest.spec.serviceName !== undefined) find("Service", manifest.spec.serviceName);
    expect(mounted(each).size).toBeGreaterThanOrEqual(name === "choria-plugins" ? 0 : 1);
  });

  test("images are those that containers/build names, and take the registry that was asked for", () => {
    const script = readFileSync(join(checkout, "containers/build"), "utf8");
    const [, prefix] = /CHORIA_IMAGES:-(\S+)}/.exec(script) ?? [];
    const roles = (/^\[ \$# -gt 0 \] \|\| set -- (.*)$/m.exec(script)?.[1] ?? "").split(" ");
    const { images = [] } = read<Kustomization>(prepared.file("kustomization.yaml"));
    for (const { image } of workloads.flatMap(({ spec }) => spec.containers)) {
      const [, role = ""] = new RegExp(`^${prefix}/([a-z]+):latest$`).exec(image) ?? [];
      expect(roles).toContain(role);
      const replacement = { newName: `registry.example.net/choria/${role}`, newTag: "1.0" };
      expect(images).toContainEqual({ name: `${prefix}/${role}`, ...replacement });
    }
  });

  test("services, budgets and policies name pods and ports that exist", () => {
    const inNamespace = (namespace = "") =>
      workloads.filter(({ manifest }) => manifest.metadata.namespace === namespace);
    for (const { kind, metadata, spec } of manifests) {
      const own = inNamespace(metadata.namespace);
      if (kind === "Service") {
        const found = own.filter((each) =>
          selects({ matchLabels: spec.selector as Record<string, string> }, each.metadata.labels),
        );
        expect(found).toHaveLength(1);
        const names = found.flatMap((each) => portNames(each.spec));
        for (const { targetPort } of spec.ports ?? []) expect(names).toContain(String(targetPort));
      }
      if (kind === "PodDisruptionBudget") {
        expect(own.filter((each) => selects(spec.selector ?? {}, each.metadata.labels))).toHaveLength(1);
      }
      if (kind !== "NetworkPolicy") continue;
      const subjects = own.filter((each) => selects(spec.podSelector ?? {}, each.metadata.labels));
      expect(subjects).not.toEqual([]);
      for (const { from, ports } of spec.ingress ?? []) {
        const names = subjects.flatMap((each) => portNames(each.spec));
        for (const { port } of ports) expect(names).toContain(String(port));
        for (const peer of from) expectKnown(peer, metadata.namespace);
      }
      for (const { to, ports } of spec.egress ?? []) {
        for (const peer of to) {
          for (const target of expectKnown(peer, metadata.namespace)) {
            for (const { port } of ports) expect(portNames(target.spec)).toContain(String(port));
          }
        }
      }
    }

    /** Pods of ours that a peer stands for; those of other namespaces are not known here. */
    function expectKnown(peer: Peer, own = ""): Workload[] {
      if (peer.ipBlock !== undefined) return [];
      const namespace = peer.namespaceSelector?.matchLabels?.["kubernetes.io/metadata.name"] ?? own;
      if (!namespace.startsWith("choria")) return [];
      const found = inNamespace(namespace).filter((each) => selects(peer.podSelector ?? {}, each.metadata.labels));
      expect(found).not.toEqual([]);
      return found;
    }
  });
});

describe("nobody has more rights than needed", () => {
  test.each(workloads.map(({ name, spec }) => [name, spec] as const))("%s", (name, spec) => {
    const isServer = name === "choria-server";
    expect(spec.automountServiceAccountToken).toBe(false);
    expect(spec.hostPID ?? false).toBe(false);
    expect(spec.hostNetwork ?? false).toBe(false);
    expect(spec.securityContext.seccompProfile.type).toBe("RuntimeDefault");
    expect(spec.securityContext.runAsNonRoot ?? false).toBe(!isServer);
    expect(spec.volumes.some(({ hostPath }) => hostPath !== undefined)).toBe(isServer);
    for (const { securityContext, resources: limits, volumeMounts } of spec.containers) {
      expect(securityContext.runAsUser ?? spec.securityContext.runAsUser).toBe(isServer ? 0 : 2048);
      expect(securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      expect(limits.requests).toMatchObject({ cpu: expect.any(String), memory: expect.any(String) });
      expect(limits.limits.memory).toEqual(expect.any(String));
      expect(volumeMounts.map(({ mountPath }) => mountPath)).toContain("/tmp");
    }
  });

  test("the user is the image's", () => {
    expect(readFileSync(join(checkout, "containers/base/Dockerfile"), "utf8")).toContain("--uid 2048");
  });

  test("whoever is not listed reaches nobody", () => {
    for (const namespace of ["choria", "choria-nodes"]) {
      const denied = manifests.find(
        ({ kind, metadata }) =>
          kind === "NetworkPolicy" && metadata.name === "nobody" && metadata.namespace === namespace,
      );
      expect(denied?.spec).toMatchObject({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
      expect(denied?.spec.ingress).toBeUndefined();
    }
  });
});

describe("the configuration in the manifests", () => {
  const pod = temporaryFolder();
  afterAll(() => pod[Symbol.dispose]());

  /** Lay what a pod finds below a folder, its paths changed to be there. */
  function layOut(name: string): (path: string) => string {
    const root = join(pod.path, name);
    for (const [path, content] of mounted(workload(name))) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content.replaceAll(/(?<![\w/])\/etc\//g, `${root}/etc/`));
    }
    return (path) => join(root, path);
  }

  test("is accepted by the broker, which is named by its pod and knows the two others", () => {
    const at = layOut("broker");
    const config = loadConfig(at("/etc/choria/broker/broker.conf"), { kind: "system" });
    checkBrokerSettings(config);
    expect(config.has("identity")).toBe(false);
    expect(config.get("plugin.choria.network.peer_secret").length).toBeGreaterThanOrEqual(32);
    const { replicas = 0, serviceName } = find("StatefulSet", "choria-broker").spec;
    const hosts = Array.from({ length: replicas }, (_, at) => `choria-broker-${at}.${serviceName}.choria.svc`);
    const port = config.get("plugin.choria.network.peer_port");
    expect(config.get("plugin.choria.network.peers")).toEqual(hosts.map((host) => `${host}.cluster.local:${port}`));
    const ports = workload("broker").spec.containers[0]?.ports ?? [];
    expect(ports.map(({ containerPort }) => containerPort)).toEqual([
      config.get("plugin.choria.network.client_port"),
      port,
      config.get("plugin.choria.stats_port"),
    ]);
    expect(config.get("plugin.choria.network.stream.store")).toBe("/data");
  });

  test("is accepted by the AAA service, the provisioner, the replicator and the client, who share its secrets", () => {
    const broker = loadConfig(layOut("broker")("/etc/choria/broker/broker.conf"), { kind: "system" });
    const aaaAt = layOut("aaa");
    const aaa = loadAaaConfig(aaaAt("/etc/aaasvc/aaa/aaa.conf"));
    expect([aaa.port, aaa.monitorPort]).toEqual([8080, 8081]);
    const users = JSON.parse(readFileSync(aaa.authenticator?.usersFile ?? "", "utf8")) as { username: string }[];
    expect(users.map(({ username }) => username)).toEqual(["admin", "streams", "choria"]);
    loadConfig(aaa.choriaConfig, { kind: "system" });
    const provisionerAt = layOut("provisioner");
    const provisioner = loadProvisionerConfig(provisionerAt("/etc/choria-provisioner/provisioner/provisioner.yaml"));
    loadConfig(provisionerAt("/etc/choria-provisioner/provisioner/choria.cfg"), { kind: "system" });
    expect(provisioner).toMatchObject({ leaderElection: true, helperModule: true, monitorPort: 8083 });
    expect(provisioner.brokerPassword).toBe(broker.get("plugin.choria.network.provisioning.client_password"));
    const helper = provisioner.helper.replace("/opt/choria", checkout);
    expect(readFileSync(helper, "utf8")).toContain("export default");
    const replicator = loadReplicatorConfig(layOut("replicator")("/etc/stream-replicator/sr.yaml"));
    expect(replicator.entries.map(({ leaderElectionName }) => leaderElectionName)).toEqual(["registration"]);
    expect(replicator.heartbeats?.leaderElection).toBe(true);
    const client = loadConfig(layOut("client")("/etc/choria/client.conf"), { kind: "system" });
    expect(client.get("plugin.choria.network.system.password")).toBe(
      broker.get("plugin.choria.network.system.password"),
    );
    expect(client.issuers()).toEqual(broker.issuers());
  });

  test("names files that the pods have", () => {
    for (const name of ["broker", "aaa", "provisioner", "replicator"]) {
      const files = mounted(workload(name));
      const named = [...files.values()].flatMap((content) =>
        [...content.matchAll(/\/etc\/[\w./-]+\w/g)].map(([path]) => path),
      );
      expect(named.length).toBeGreaterThan(1);
      expect([...files.keys()]).toEqual(expect.arrayContaining(named));
    }
  });

  test("servers know the brokers of the cluster first, then those that were named", async () => {
    expect(await prepare("--brokers", "nats://choria.example.net:4222")).toMatchObject({ code: 0 });
    const { brokers } = JSON.parse(readFileSync(prepared.file("config/provisioner/helper.json"), "utf8")) as {
      brokers: string;
    };
    expect(brokers.split(",")).toHaveLength(4);
    expect(brokers).toStartWith("nats://choria-broker-0.choria-brokers.choria.svc:4222,");
    const token = readTokenFile(prepared.file("credentials/server/provisioning.jwt"));
    expect(decodeTokenUnverified(token)).toMatchObject({ chu: brokers });
    expect(await prepare()).toMatchObject({ code: 0 });
  });

  test("names brokers and services by names that the manifests give", () => {
    const everything = workloads.flatMap((each) => [...mounted(each).values()]).join("\n");
    const hosts = new Set(
      [...everything.matchAll(/([\w-]+)(\.[\w-]+)?\.choria\.svc/g)].map(([, first = "", second]) =>
        (second ?? first).replace(/^\./, ""),
      ),
    );
    expect([...hosts].sort()).toEqual(["choria-aaa", "choria-brokers"]);
    for (const host of hosts) find("Service", host);
  });
});

describe("three brokers with the configuration of the manifests", () => {
  const hosts = ["127.0.0.31", "127.0.0.32", "127.0.0.33"];
  const cluster = temporaryFolder();
  const running = new Map<string, Bun.Subprocess>();
  let monitor = 0;

  /** Addresses stand for pods here: each broker is named by its own, by which the peers know it. */
  async function configure(): Promise<void> {
    const [client, peer] = [await freePort(), await freePort()];
    monitor = await freePort();
    for (const host of hosts) {
      const root = cluster.file(host);
      for (const [path, content] of mounted(workload("broker"))) {
        const changes: [string, string][] = [
          ["plugin.choria.network.listen_address", host],
          ["plugin.choria.network.client_port", String(client)],
          ["plugin.choria.network.peer_port", String(peer)],
          ["plugin.choria.network.peers", hosts.map((each) => `${each}:${peer}`).join(", ")],
          ["plugin.choria.network.stream.store", join(root, "data")],
          ["plugin.choria.stats_address", host],
          ["plugin.choria.stats_port", String(monitor)],
          ["plugin.choria.middleware_hosts", `nats://${host}:${client}`],
        ];
        const here = content.replaceAll(/(?<![\w/])\/etc\//g, `${root}/etc/`);
        const isMain = path.endsWith("/broker.conf");
        const text = isMain ? changes.reduce(replaceSetting, `${here}\nidentity = ${host}\n`) : here;
        mkdirSync(dirname(join(root, path)), { recursive: true });
        writeFileSync(join(root, path), text);
      }
    }
  }

  function replaceSetting(text: string, [key, value]: [string, string]): string {
    const line = new RegExp(`^${key.replaceAll(".", "\\.")} = .*$`, "m");
    expect(text).toMatch(line);
    return text.replace(line, `${key} = ${value}`);
  }

  function start(host: string): void {
    const file = join(cluster.file(host), "etc/choria/broker/broker.conf");
    const command = [process.execPath, join(checkout, "cmd/broker.ts"), "--config", file];
    running.set(host, Bun.spawn(command, { stdout: Bun.file(cluster.file(`${host}.log`)), stderr: "ignore" }));
  }

  async function isWell(host: string, query = ""): Promise<boolean> {
    const reply = await fetch(`http://${host}:${monitor}/healthz${query}`).catch(() => undefined);
    return reply?.ok ?? false;
  }

  async function leader(host: string): Promise<string> {
    const reply = await fetch(`http://${host}:${monitor}/jsz`);
    const { meta_cluster: meta } = (await reply.json()) as { meta_cluster?: { leader?: string } };
    return meta?.leader ?? "";
  }

  afterAll(async () => {
    for (const child of running.values()) child.kill("SIGTERM");
    await Promise.all([...running.values()].map((child) => child.exited));
    cluster[Symbol.dispose]();
  });

  test("keep three copies of the streams, and go on when one is killed", async () => {
    await configure();
    for (const host of hosts) start(host);
    const logs = () => hosts.map((host) => readFileSync(cluster.file(`${host}.log`), "utf8")).join("");
    await waitFor("streams", () => logs().includes("Configured stream CHORIA_EVENTS with 3 replicas"), 40_000);
    for (const host of hosts) await waitFor("a healthy broker", () => isWell(host), 20_000);
    const killed = await leader(hosts[0] ?? "");
    expect(hosts).toContain(killed);
    running.get(killed)?.kill("SIGKILL");
    await running.get(killed)?.exited;
    const others = hosts.filter((host) => host !== killed);
    for (const host of others) {
      expect(await isWell(host, "?js-enabled-only=true")).toBe(true);
      await waitFor("another leader", async () => others.includes(await leader(host)), 20_000);
    }
    start(killed);
    await waitFor("the killed broker", () => isWell(killed), 30_000);
  }, 120_000);
});

const validator = await installValidator();
if (typeof validator === "string") console.warn(`Manifests are not held against Kubernetes' schemas: ${validator}`);

/** The schemas come as a Python package; gives where it lies, or why it does not. */
async function installValidator(): Promise<{ path: string } | string> {
  const at = prepared.file("python");
  const pip = ["python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", at];
  try {
    const { code, err } = await run([...pip, "kubernetes-validate"]);
    return code === 0 ? { path: at } : `pip cannot install kubernetes-validate: ${err.trim().split("\n").at(-1)}`;
  } catch (error) {
    return `there is no python3: ${error}`;
  }
}

test.skipIf(typeof validator === "string")(
  "manifests fit Kubernetes' schemas, and one that does not is noticed",
  async () => {
    const files = [folder, join(folder, "client"), join(folder, "external")].flatMap((at) =>
      (read<Kustomization>(join(at, "kustomization.yaml")).resources ?? []).map((file) => join(at, file)),
    );
    const path = typeof validator === "string" ? "" : validator.path;
    const validate = (...names: string[]) =>
      run(["env", `PYTHONPATH=${path}`, "python3", "-m", "kubernetes_validate", "--strict", ...names]);
    const { code, out, err } = await validate(...files);
    expect(out + err).not.toContain("failed");
    expect(code).toBe(0);
    const wrong = prepared.file("wrong.yaml");
    writeFileSync(wrong, readFileSync(join(folder, "broker.yaml"), "utf8").replace("serviceName:", "servicename:"));
    expect((await validate(wrong)).code).not.toBe(0);
  },
  120_000,
);
