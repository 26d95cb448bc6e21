import type { Config } from "../config/mod.ts";
import { insecureSignature, type SecureRequest } from "../protocol/mod.ts";
import type { RegistrationProvider } from "../registration/mod.ts";
import type { AgentMetadata } from "../rpc/mod.ts";
import { type Logger, parseObject, version } from "../std/mod.ts";
import { machineSummaries } from "./machines.ts";
import type { ServerNode } from "./node.ts";
import type { ServerProfile } from "./profile.ts";
import { statusDocument } from "./status.ts";

/** What registering needs beside what the node knows. */
export interface RegistrationOptions {
  profile: Pick<ServerProfile, "ownCredentials" | "login" | "tokenExpires">;
  logger: Logger;
}

/**
 * Register with the providers that the configuration names, until the handle is disposed.
 *
 * @returns undefined where nothing is to be registered.
 */
export async function startNodeRegistration(
  node: ServerNode,
  options: RegistrationOptions,
): Promise<Disposable | undefined> {
  const { config, clock, connection, identity } = node;
  const logger = options.logger.child({ component: "registration" });
  const interval = config.get("registerinterval");
  if (config.get("registration").length === 0 || interval < 1) return undefined;
  const { registrationMessage, startRegistration } = await import("../registration/mod.ts");
  const collective = config.get("registration_collective") || node.mainCollective;
  const secure = securedBy(options.profile);
  return startRegistration({
    providers: await providersOf(node, options, logger),
    publish(data, target) {
      const { server } = connection;
      if (server === "") return false;
      const message = registrationMessage(data, target, { identity, collective, server, secure }, clock.now());
      connection.publish(message.subject, message.data);
      return true;
    },
    interval,
    splay: config.get("registration_splay"),
    sizeTrigger: config.get("plugin.choria.registration.size_trigger"),
    sizeInterval: config.get("plugin.choria.registration.size_interval"),
    clock,
    logger,
  });
}

/**
 * A server signs what it registers. One that is provisioned has no key: it shows its provisioning token as the caller,
 * under a signature that says so, and receivers believe it as far as they believe that token.
 */
function securedBy({ ownCredentials, login }: RegistrationOptions["profile"]): (request: Uint8Array) => SecureRequest {
  if (ownCredentials === undefined) {
    return (request) => ({ request, signature: insecureSignature, caller: login().token ?? "" });
  }
  return (request) => {
    const { key, token } = ownCredentials();
    return { request, signature: key.sign(request), caller: token };
  };
}

async function providersOf(
  node: ServerNode,
  options: RegistrationOptions,
  logger: Logger,
): Promise<RegistrationProvider[]> {
  const { fileContent, inventoryContent } = await import("../registration/mod.ts");
  const { config } = node;
  return config.get("registration").flatMap((name) => {
    switch (name) {
      case "inventory_content":
        return inventoryContent({ ...placeOf(config, name), take: () => takeInventory(node, options) });
      case "file_content":
        return fileContent({
          ...placeOf(config, name),
          path: config.get("plugin.choria.registration.file_content.data"),
        });
      default:
        logger.error("There is no such registration provider", { provider: name });
        return [];
    }
  });
}

function placeOf(config: Config, name: "inventory_content" | "file_content"): { target: string; compress: boolean } {
  return {
    target: config.get(`plugin.choria.registration.${name}.target`),
    compress: config.get(`plugin.choria.registration.${name}.compression`),
  };
}

async function takeInventory(node: ServerNode, { profile }: RegistrationOptions) {
  return {
    agents: node.agents().map(describe),
    classes: node.classes(),
    facts: await node.facts(),
    status: parseObject(statusDocument(node, profile.tokenExpires())),
    collectives: node.collectives,
    build_info: { version, sha: "unknown" },
    machines: machineSummaries(node),
  };
}

function describe(metadata: AgentMetadata): object {
  const { license, author, timeout, name, version: release, url, description, provider, service } = metadata;
  const about = { license, author, timeout, name, version: release, url, description };
  return { ...about, ...(provider ? { provider } : {}), ...(service ? { service } : {}) };
}
