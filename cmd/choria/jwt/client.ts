import { readFileSync } from "node:fs";
import { Command } from "commander";
import { readPublicKey } from "../../../lib/crypto/mod.ts";
import { errorText } from "../../../lib/std/mod.ts";
import { type ClientPermissions, issueClientToken, type NewClient } from "../../../lib/tokens/mod.ts";
import type { JwtContext } from "./context.ts";
import { collect, createToken, signerOf, validityOption } from "./create.ts";

interface ClientFlags {
  agents?: string[];
  org: string;
  opaFile?: string;
  opa?: string;
  validity: number;
  publicKey?: string;
  streamAdmin?: boolean;
  streamUser?: boolean;
  eventViewer?: boolean;
  electionsUser?: boolean;
  service?: boolean;
  system?: boolean;
  authDelegation?: boolean;
  fleetManagement: boolean;
  signedFleetManagement?: boolean;
  orgAdmin?: boolean;
  publish?: string[];
  subscribe?: string[];
  issuer?: boolean;
  serverProvisioner?: boolean;
  governor?: boolean;
  vault?: boolean;
}

const example = `
Example:
  $ choria jwt keys admin.seed admin.public
  $ choria jwt client admin.jwt up=admin issuer.seed --public-key admin.public --validity 30d`;

/** `choria jwt client FILE IDENTITY SIGNING-KEY`. */
export function clientCommand(context: JwtContext): Command {
  return new Command("client")
    .alias("c")
    .summary("Create a client token")
    .description(
      "Create the token of a client: of a person, of a service such as the AAA service, or of a provisioner.",
    )
    .argument("<file>", "file for the token")
    .argument("<identity>", "caller id, for example up=choria")
    .argument("<signing-key>", "file with the key that signs: an ed25519 seed or RSA in PEM")
    .option("--agents <agent.action>", "allow these actions (may be repeated)", collect)
    .option("--org <name>", "organization", "choria")
    .option("--opa-file <file>", "embed the Rego policy of a file")
    .option("--opa <policy>", "embed a Rego policy")
    .addOption(validityOption("1h"))
    .option("--public-key <key>", "the holder's public key: 64 hex characters or a file with them")
    .option("--stream-admin", "administer streams")
    .option("--stream-user", "use streams")
    .option("--event-viewer", "see lifecycle and autonomous agent events")
    .option("--elections-user", "take part in leader elections")
    .option("--service", "may live longer than a person's token")
    .option("--system", "use the broker's system account")
    .option("--auth-delegation", "sign requests for others")
    .option("--fleet-management", "send requests to servers", true)
    .option("--no-fleet-management", "send no requests to servers")
    .option("--signed-fleet-management", "send requests that a delegate has signed")
    .option("--org-admin", "see and publish everything, and use the system account")
    .option("--publish <subject>", "publish to this subject as well (may be repeated)", collect)
    .option("--subscribe <subject>", "subscribe to this subject as well (may be repeated)", collect)
    .option("--issuer", "make the holder a chain issuer: the signing key is then the organization's own")
    .option("--server-provisioner", "provision servers")
    .option("--governor", "use governors")
    .option("--vault", "sign with HashiCorp Vault: the signing key is the name of a transit key")
    .addHelpText("after", example)
    .action((file: string, identity: string, signingKey: string, flags: ClientFlags) =>
      createToken(file, context, async () => {
        const client = newClient(identity, flags);
        const signer = await signerOf(signingKey, flags.vault ?? false, context);
        return issueClientToken(client, { signer, now: context.clock.now(), validity: flags.validity });
      }),
    );
}

function newClient(callerid: string, flags: ClientFlags): NewClient {
  const policy = policyOf(flags);
  if (flags.issuer && flags.publicKey === undefined) throw new Error("no public key set");
  return {
    callerid,
    ou: flags.org,
    permissions: permissionsOf(flags),
    canIssue: flags.issuer ?? false,
    agents: flags.agents ?? [],
    pub_subjects: flags.publish ?? [],
    sub_subjects: flags.subscribe ?? [],
    ...(policy === undefined ? {} : { opa_policy: policy }),
    ...(flags.publicKey === undefined ? {} : { public_key: readPublicKey(flags.publicKey) }),
  };
}

function policyOf({ opa, opaFile }: ClientFlags): string | undefined {
  if (opaFile === undefined) return opa;
  if (opa !== undefined) throw new Error("can only use one of --opa and --opa-file");
  try {
    return readFileSync(opaFile, "utf8");
  } catch (error) {
    throw new Error(`Cannot read the policy "${opaFile}": ${errorText(error)}`, { cause: error });
  }
}

function permissionsOf(flags: ClientFlags): ClientPermissions {
  // A chain issuer only issues: it neither acts nor signs for others, unless it is told to by what follows.
  const acts = !flags.issuer;
  const signed = acts && (flags.signedFleetManagement ?? false);
  return {
    streams_admin: flags.streamAdmin ?? false,
    streams_user: flags.streamUser ?? false,
    events_viewer: flags.eventViewer ?? false,
    election_user: flags.electionsUser ?? false,
    system_user: flags.system ?? false,
    governor: flags.governor ?? false,
    org_admin: flags.orgAdmin ?? false,
    fleet_management: (acts && flags.fleetManagement) || signed || (flags.serverProvisioner ?? false),
    signed_fleet_management: signed,
    service: flags.service ?? false,
    authentication_delegator: acts && (flags.authDelegation ?? false),
    provisioner: flags.serverProvisioner ?? false,
  };
}
