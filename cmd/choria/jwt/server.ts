import { Command } from "commander";
import { readPublicKey } from "../../../lib/crypto/mod.ts";
import { issueServerToken } from "../../../lib/tokens/mod.ts";
import type { JwtContext } from "./context.ts";
import { collect, createToken, signerOf, validityOption } from "./create.ts";

interface ServerFlags {
  collectives?: string[];
  org: string;
  subjects?: string[];
  submission?: boolean;
  streamUser?: boolean;
  validity: number;
  service?: boolean;
  governor?: boolean;
  vault?: boolean;
}

const example = `
Example:
  $ choria jwt keys server.seed server.public
  $ choria jwt server server.jwt node1.example.net server.public issuer.seed --submission --validity 365d`;

/** `choria jwt server FILE IDENTITY PUBLIC-KEY SIGNING-KEY`. */
export function serverCommand(context: JwtContext): Command {
  return new Command("server")
    .alias("s")
    .summary("Create a server token")
    .description("Create the token of a server. Provisioned servers get theirs from the provisioner.")
    .argument("<file>", "file for the token")
    .argument("<identity>", "the server's name on the network")
    .argument("<public-key>", "the server's public key: 64 hex characters or a file with them")
    .argument("<signing-key>", "file with the key that signs: an ed25519 seed or RSA in PEM")
    .option("--collectives <name>", "collectives it belongs to (may be repeated) (default: choria)", collect)
    .option("--org <name>", "organization", "choria")
    .option("--subjects <subject>", "publish to this subject as well (may be repeated)", collect)
    .option("--submission", "publish messages through the submission spool")
    .option("--stream-user", "use streams")
    .addOption(validityOption("8760h"))
    .option("--service", "host services")
    .option("--governor", "use governors; needs --stream-user")
    .option("--vault", "sign with HashiCorp Vault: the signing key is the name of a transit key")
    .addHelpText("after", example)
    .action((file: string, identity: string, publicKey: string, signingKey: string, flags: ServerFlags) =>
      createToken(file, context, () => issue(identity, publicKey, signingKey, flags, context)),
    );
}

async function issue(
  identity: string,
  publicKey: string,
  signingKey: string,
  flags: ServerFlags,
  context: JwtContext,
): Promise<string> {
  if (flags.governor && !flags.streamUser) throw new Error("cannot set --governor unless --stream-user is also set ");
  const server = {
    identity,
    collectives: flags.collectives ?? ["choria"],
    public_key: readPublicKey(publicKey),
    ou: flags.org,
    pub_subjects: flags.subjects ?? [],
    permissions: {
      submission: flags.submission ?? false,
      streams: flags.streamUser ?? false,
      governor: flags.governor ?? false,
      service_host: flags.service ?? false,
    },
  };
  const signer = await signerOf(signingKey, flags.vault ?? false, context);
  return issueServerToken(server, { signer, now: context.clock.now(), validity: flags.validity });
}
