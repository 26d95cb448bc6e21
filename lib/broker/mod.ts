/**
 * The broker role: a nats-server of our own making, and the responder that decides who may connect to it and what
 * they may do.
 *
 * @module
 */
export { type BrokerHandle, type BrokerOptions, startBroker } from "./broker.ts";
export { type CalloutOptions, CalloutResponder } from "./callout.ts";
export { type CalloutKeys, type CalloutScope, calloutKeys } from "./callout_keys.ts";
export { type CalloutRequest, decodeCalloutRequest, encodeCalloutResponse } from "./callout_message.ts";
export type { Admission, LoginRequest, Refusal, Verdict } from "./login.ts";
export { LoginJudge } from "./login_judge.ts";
export { type LoginPolicy, loginPolicy } from "./login_policy.ts";
export { type BrokerPorts, type NatsConfigOptions, natsConfig } from "./nats_config.ts";
export { type NatsLogLine, parseNatsLog } from "./nats_log.ts";
export {
  cachedNatsServer,
  type FindOptions,
  findNatsServer,
  type NatsServer,
  NatsServerMissingError,
  parseNatsVersion,
} from "./nats_server.ts";
export { countBrokers, peersOf } from "./peers.ts";
export { routeCertificateFiles } from "./route_certificate.ts";
export { checkBrokerSettings } from "./settings.ts";
