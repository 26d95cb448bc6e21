import { writeFileSync } from "node:fs";
import { configFrom } from "../../lib/config/mod.ts";
import { type Provisioner, parseProvisionerConfig, startProvisioner } from "../../lib/provisioner/mod.ts";
import { createLogger, type Logger } from "../../lib/std/mod.ts";
import { startTestBroker, type TestBroker } from "./broker.ts";
import { temporaryFolder } from "./folder.ts";
import { type Member, TestOrganization } from "./organization.ts";

/** The helper that the sample network uses. */
export const sampleHelper = `${import.meta.dir}/../../containers/provisioner/helper.ts`;

/** An organization with a broker, and what provisioners and nodes need to join it. */
export interface ProvisioningNetwork extends AsyncDisposable {
  organization: TestOrganization;
  broker: TestBroker;
  /** The chain issuer that provisioners are. */
  signer: Member;
  /** Token of nodes that are to be provisioned. */
  provisioningToken: string;
  /** A path in the network's folder. */
  file: (name: string) => string;
  /**
   * Start a provisioner in this process, with the sample helper as a module unless other lines say otherwise.
   *
   * @param yaml More lines for its configuration.
   */
  startProvisioner(
    yaml?: string,
    options?: { sweepInterval?: number; logger?: Logger; signer?: Member },
  ): Promise<Provisioner>;
  /** The lines of a provisioner's configuration, for one that runs as a process; and its choria.cfg. */
  writeProvisionerFiles(yaml?: string): { config: string; choria: string };
}

/** Set `PROVISIONER_LOG` to a level to see what provisioners log. */
export function testLogger(): Logger {
  const level = process.env.PROVISIONER_LOG;
  return createLogger({ destination: level ? "stderr" : "discard", level: level === "debug" ? "debug" : "info" });
}

/** Start a broker and prepare everything for provisioning. */
export async function startProvisioningNetwork(
  settings: Readonly<Record<string, string>> = {},
): Promise<ProvisioningNetwork> {
  const organization = new TestOrganization();
  const broker = await startTestBroker({ organization, settings });
  const folder = temporaryFolder();
  const permissions = { provisioner: true, fleet_management: true };
  const signer = await organization.client(
    { callerid: "provisioner_signer", permissions, canIssue: true },
    { validity: 86_400_000 },
  );
  const signerFiles = signer.save(folder.file("signer"));
  const helperSettings = { brokers: broker.url, issuer: organization.issuer.publicKey, layout: "folder" };
  writeFileSync(folder.file("helper.json"), JSON.stringify(helperSettings));
  process.env.CHORIA_HELPER_SETTINGS = folder.file("helper.json");
  const choriaOf = ({ tokenFile, seedFile }: { tokenFile: string; seedFile: string }) => ({
    identity: "provisioner_signer",
    "plugin.choria.middleware_hosts": broker.url,
    "plugin.security.choria.token_file": tokenFile,
    "plugin.security.choria.seed_file": seedFile,
  });
  const yamlOf = (more: string) => {
    const lines: Record<string, unknown> = {
      workers: 4,
      token: "s3cret",
      site: "testing",
      monitor_address: "127.0.0.1",
      broker_provisioning_password: "s3cret",
      jwt_verify_cert: organization.issuer.publicKey,
      jwt_signing_key: signerFiles.seedFile,
      jwt_signing_token: signerFiles.tokenFile,
      features: { jwt: true, ed25519: true },
    };
    const own = /^helper:/m.test(more) ? {} : { helper: sampleHelper, helper_module: true };
    const base = Object.entries({ ...lines, ...own }).filter(([key]) => !new RegExp(`^${key}:`, "m").test(more));
    return `${base.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join("\n")}\n${more}\n`;
  };
  return {
    organization,
    broker,
    signer,
    provisioningToken: await organization.provisioning([broker.url]),
    file: folder.file,
    startProvisioner(yaml = "", { signer: own, ...options } = {}) {
      const files = own === undefined ? signerFiles : own.save(folder.file("other"));
      return startProvisioner({
        config: parseProvisionerConfig(yamlOf(yaml), "provisioner.yaml"),
        choria: configFrom(choriaOf(files)),
        version: "0.0.0",
        logger: testLogger(),
        ...options,
      });
    },
    writeProvisionerFiles(yaml = "") {
      const files = { config: folder.file("provisioner.yaml"), choria: folder.file("choria.cfg") };
      writeFileSync(files.config, yamlOf(yaml));
      writeFileSync(
        files.choria,
        Object.entries(choriaOf(signerFiles))
          .map(([key, value]) => `${key} = ${value}\n`)
          .join(""),
      );
      return files;
    },
    async [Symbol.asyncDispose]() {
      await broker.stop();
      folder[Symbol.dispose]();
    },
  };
}
