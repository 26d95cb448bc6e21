import { md5Hex, sha256Hex } from "../crypto/mod.ts";
import { defaultOrganization, type ServerClaims } from "../tokens/mod.ts";
import { noPermissions, type Permissions, Rules } from "./permissions.ts";

/** What the holder of a server token needs of the JetStream API, below the API's prefix. */
const streamsApi = [
  "STREAM.INFO.*",
  "STREAM.MSG.GET.*",
  "STREAM.MSG.DELETE.*",
  "DIRECT.GET.*",
  "DIRECT.GET.*.>",
  "CONSUMER.CREATE.*",
  "CONSUMER.CREATE.*.>",
  "CONSUMER.DURABLE.CREATE.*.*",
  "CONSUMER.INFO.*.*",
  "CONSUMER.MSG.NEXT.*.*",
];

/** How {@link serverPermissions} judges. */
export interface ServerPermissionOptions {
  /**
   * Let servers connect and do nothing.
   * @default false
   */
  denyConnections?: boolean;
}

/** What the holder of a server token may do, in account `choria`. A server of no collective may do nothing. */
export function serverPermissions(claims: ServerClaims, options: ServerPermissionOptions = {}): Permissions {
  if (options.denyConnections || claims.collectives.length === 0) return noPermissions();
  const rules = new Rules();
  rules.publish("choria.lifecycle.>", "choria.machine.transition", "choria.machine.watcher.>");
  rules.publishListed(claims.pub_subjects);
  const isIdentityGood = rules.accepts("identity", claims.identity);
  for (const collective of claims.collectives) {
    if (rules.accepts("collectives", collective)) addCollective(rules, claims, collective, isIdentityGood);
  }
  if (claims.permissions?.streams) addStreams(rules, claims.ou || defaultOrganization);
  return rules.finish("choria");
}

function addCollective(rules: Rules, claims: ServerClaims, collective: string, hasNode: boolean): void {
  const { identity, permissions: may = {} } = claims;
  rules.publish(
    `${collective}.reply.>`,
    `${collective}.broadcast.agent.registration`,
    `choria.federation.${collective}.collective`,
  );
  rules.subscribe(`${collective}.broadcast.agent.>`);
  if (hasNode) rules.subscribe(`${collective}.node.${identity}`);
  rules.subscribe(`${collective}.reply.${md5Hex(identity)}.>`, `${collective}.reply.${sha256Hex(identity)}.>`);
  if (may.service_host) rules.subscribe(`${collective}.broadcast.service.>`);
  if (may.submission) rules.publish(`${collective}.submission.in.>`);
  if (may.governor && may.streams) rules.publish(`${collective}.governor.*`);
}

function addStreams(rules: Rules, organization: string): void {
  const prefix = organization === defaultOrganization ? "$JS.API" : "choria.streams";
  if (rules.accepts("ou", organization)) rules.subscribe(`${organization}.republish.>`);
  rules.publish(...streamsApi.map((subject) => `${prefix}.${subject}`), "$JS.ACK.>", "$JS.FC.>");
}
