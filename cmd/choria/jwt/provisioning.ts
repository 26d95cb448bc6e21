import { Command, Option } from "commander";
import { errorText, type JsonObject, parseObject } from "../../../lib/std/mod.ts";
import { issueProvisioningToken, type NewProvisioning } from "../../../lib/tokens/mod.ts";
import type { JwtContext } from "./context.ts";
import { collect, createToken, signerOf, validityOption } from "./create.ts";

/** Flags of a provisioning token. */
export interface ProvisioningFlags {
  insecure: boolean;
  token?: string;
  urls?: string[];
  srv?: string;
  default?: boolean;
  registration?: string;
  facts?: string;
  username?: string;
  password?: string;
  extensions?: string;
  org: string;
  vault?: boolean;
  protocolV2?: boolean;
  upgrade?: boolean;
  update?: boolean;
  validity: number;
}

const example = `
Example:
  $ choria jwt provisioning provisioning.jwt issuer.seed --token s3cret --urls nats://broker.example.net:4222 \\
      --default --protocol-v2 --validity 365d`;

/** `choria jwt provisioning FILE SIGNING-KEY`. */
export function provisioningCommand(context: JwtContext): Command {
  const command = new Command("provisioning")
    .aliases(["prov", "provision", "p"])
    .summary("Create a provisioning token")
    .description(
      "Create the token by which a new server finds its provisioner, to be put at /etc/choria/provisioning.jwt.",
    )
    .argument("<file>", "file for the token")
    .argument("<signing-key>", "file with the key that signs: an ed25519 seed or RSA in PEM")
    .addHelpText("after", example)
    .action((file: string, signingKey: string, flags: ProvisioningFlags) =>
      createProvisioningToken(file, signingKey, flags, context),
    );
  for (const option of provisioningOptions()) command.addOption(option);
  return command;
}

/**
 * The flags of a provisioning token.
 * @param insecure Whether protocol security is off during provisioning where no flag says so.
 */
export function provisioningOptions(insecure = true): Option[] {
  return [
    new Option("--insecure", "no protocol security during provisioning, as nothing is set up yet").default(insecure),
    new Option("--no-insecure", "demand protocol security during provisioning"),
    new Option("--token <secret>", "secret that the provisioner must present; asked for when it is not given"),
    new Option("--urls <url>", "brokers to connect to (may be repeated, or separated by commas)").argParser(collect),
    new Option("--srv <domain>", "domain whose SRV records name the brokers"),
    new Option("--default", "provision unless the server's configuration says no"),
    new Option("--registration <file>", "file published as registration data during provisioning"),
    new Option("--facts <file>", "file of facts during provisioning"),
    new Option("--username <name>", "NATS user to connect with"),
    new Option("--password <secret>", "password to connect with"),
    new Option("--extensions <json>", "further data to embed, as a JSON object"),
    new Option("--org <name>", "organization").default("choria"),
    new Option("--vault", "sign with HashiCorp Vault: the signing key is the name of a transit key"),
    new Option("--protocol-v2", "protocol version 2 and the choria security system; for networks with an issuer"),
    new Option("--upgrade", "let the provisioner upgrade the server"),
    new Option("--update").hideHelp(),
    validityOption("1y"),
  ];
}

/**
 * Make a provisioning token, asking for its secret where none is given.
 * @throws {Error} `could not create token: …`.
 */
export function createProvisioningToken(
  file: string,
  signingKey: string,
  flags: ProvisioningFlags,
  context: JwtContext,
): Promise<void> {
  return createToken(file, context, async () => {
    if (!flags.srv && !flags.urls?.length) throw new Error("URLs or a SRV Domain is required");
    if (flags.srv && flags.urls?.length) throw new Error("can only use one of --urls and --srv");
    const claims = newProvisioning(flags);
    const cht = flags.token || (await askSecret(context));
    const signer = await signerOf(signingKey, flags.vault ?? false, context);
    const options = { signer, now: context.clock.now(), validity: flags.validity };
    return issueProvisioningToken({ ...claims, cht }, options);
  });
}

function newProvisioning(flags: ProvisioningFlags): Omit<NewProvisioning, "cht"> {
  return {
    chs: !flags.insecure,
    chu: flags.urls?.join(",") ?? "",
    chsrv: flags.srv ?? "",
    chpd: flags.default ?? false,
    chrd: flags.registration ?? "",
    chf: flags.facts ?? "",
    chusr: flags.username ?? "",
    chpwd: flags.password ?? "",
    extensions: flags.extensions === undefined ? null : readExtensions(flags.extensions),
    ou: flags.org,
    v2: flags.protocolV2 ?? false,
    update: (flags.upgrade ?? false) || (flags.update ?? false),
  };
}

function readExtensions(text: string): JsonObject {
  try {
    return parseObject(text);
  } catch (error) {
    throw new Error(`invalid extensions: ${errorText(error)}`, { cause: error });
  }
}

function askSecret({ prompter }: JwtContext): Promise<string> {
  if (prompter !== undefined) return prompter.secret("Provisioning Access Token");
  throw new Error("no provisioning access token was given: use --token");
}
