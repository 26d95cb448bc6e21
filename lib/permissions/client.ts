import { md5Hex, sha256Hex } from "../crypto/mod.ts";
import { type ClientClaims, type ClientPermissions, defaultOrganization } from "../tokens/mod.ts";
import { type Permissions, Rules } from "./permissions.ts";

/** What `streams_user` may publish to: the JetStream API short of creating and deleting streams. */
const streamsUser = [
  "$JS.API.INFO",
  "$JS.API.STREAM.NAMES",
  "$JS.API.STREAM.LIST",
  "$JS.API.STREAM.INFO.*",
  "$JS.API.STREAM.MSG.GET.*",
  "$JS.API.STREAM.MSG.DELETE.*",
  "$JS.API.DIRECT.GET.*",
  "$JS.API.DIRECT.GET.*.>",
  "$JS.API.CONSUMER.CREATE.*",
  "$JS.API.CONSUMER.CREATE.*.>",
  "$JS.API.CONSUMER.DURABLE.CREATE.*.*",
  "$JS.API.CONSUMER.DELETE.*.*",
  "$JS.API.CONSUMER.NAMES.*",
  "$JS.API.CONSUMER.LIST.*",
  "$JS.API.CONSUMER.INFO.*.*",
  "$JS.API.CONSUMER.MSG.NEXT.*.*",
  "$JS.ACK.>",
  "$JS.FC.>",
  "$KV.>",
  "$O.>",
];
const electionUser = ["$JS.API.STREAM.INFO.KV_CHORIA_LEADER_ELECTION", "$KV.CHORIA_LEADER_ELECTION.>"];
const governor = ["*.governor.*", "choria.lifecycle.event.governor.>"];
const fleet = [
  "*.broadcast.agent.>",
  "*.broadcast.service.>",
  "*.node.>",
  // Federated collectives are reached through their federation brokers.
  "choria.federation.*.federation",
];
const events = ["choria.lifecycle.event.>", "choria.machine.watcher.>", "choria.machine.transition"];

/** What the holder of a client token may do, in account `choria`. */
export function clientPermissions(claims: ClientClaims): Permissions {
  const may = claims.permissions ?? {};
  const rules = new Rules();
  if (may.org_admin) {
    rules.publish(">");
    rules.subscribe(">");
    return rules.finish("choria");
  }
  // Older peers name their inbox by MD5, those in FIPS mode by SHA-256.
  rules.subscribe(`*.reply.${md5Hex(claims.callerid)}.>`, `*.reply.${sha256Hex(claims.callerid)}.>`);
  rules.publish("$SYS.REQ.USER.INFO");
  rules.subscribeListed(claims.sub_subjects);
  rules.publishListed(claims.pub_subjects);
  addStreams(rules, may, claims.ou || defaultOrganization);
  if (may.events_viewer) rules.subscribe(...events);
  if (may.election_user) rules.publish(...electionUser);
  if (may.governor && (may.streams_user || may.streams_admin)) rules.publish(...governor);
  if (may.fleet_management || may.signed_fleet_management) rules.publish(...fleet);
  return rules.finish("choria");
}

function addStreams(rules: Rules, may: ClientPermissions, organization: string): void {
  if (may.streams_admin) {
    rules.publish("$JS.>");
    rules.subscribe("$JS.EVENT.>");
  }
  if (may.streams_user) {
    rules.publish(...streamsUser);
    if (rules.accepts("ou", organization)) rules.subscribe(`${organization}.republish.>`);
  }
}
