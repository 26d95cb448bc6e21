import { chmodSync } from "node:fs";
import type { ClientPermissions } from "../../lib/tokens/mod.ts";
import { startTestBroker, type TestBroker } from "../support/broker.ts";
import { temporaryFolder } from "../support/folder.ts";
import { TestOrganization } from "../support/organization.ts";
import { choria, type Run, type RunOptions } from "./support.ts";

/** A broker, and the command line as its users call it. */
export interface StreamNetwork extends AsyncDisposable {
  broker: TestBroker;
  organization: TestOrganization;
  file: (name: string) => string;
  /** The environment of a user's commands. */
  env: (user: StreamUser) => Record<string, string>;
  /** Run the command line as a user. */
  as: (user: StreamUser, args: string[], options?: RunOptions) => Promise<Run>;
}

const users = {
  admin: { org_admin: true, system_user: true },
  streams: { streams_admin: true },
  choria: { fleet_management: true, events_viewer: true },
} as const satisfies Record<string, ClientPermissions>;

/** The users of every network that people try things out with. */
export type StreamUser = keyof typeof users;

/** Start a broker and write the configuration of its users. */
export async function streamNetwork(): Promise<StreamNetwork> {
  const folder = temporaryFolder();
  const organization = new TestOrganization();
  const broker = await startTestBroker({ organization });
  for (const [user, permissions] of Object.entries(users)) {
    const member = await organization.client({ callerid: `up=${user}`, permissions });
    const { tokenFile, seedFile } = member.save(folder.file(user));
    const lines = {
      "plugin.choria.middleware_hosts": broker.address,
      "plugin.choria.use_srv": "false",
      "plugin.choria.network.system.user": "system",
      "plugin.choria.network.system.password": "system",
      "plugin.security.provider": "choria",
      "plugin.security.choria.token_file": tokenFile,
      "plugin.security.choria.seed_file": seedFile,
      "plugin.security.issuer.names": "choria",
      "plugin.security.issuer.choria.public": organization.issuer.publicKey,
      identity: "client.example.net",
    };
    const file = folder.file(`${user}.conf`);
    await Bun.write(
      file,
      Object.entries(lines)
        .map(([key, value]) => `${key} = ${value}\n`)
        .join(""),
    );
    chmodSync(file, 0o600);
  }
  const env = (user: StreamUser) => ({ CHORIA_CONFIG: folder.file(`${user}.conf`), TZ: "UTC" });
  return {
    broker,
    organization,
    file: folder.file,
    env,
    as: (user, args, options = {}) => choria(args, { ...options, env: env(user) }),
    async [Symbol.asyncDispose]() {
      await broker.stop();
      folder[Symbol.dispose]();
    },
  };
}
