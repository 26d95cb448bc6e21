/**
 * Connections to the broker: where it is, who we are, and coming back for ever.
 *
 * @module
 */
export { brokersOf, hostAndPort, lookupBrokers, type SrvLookup } from "./brokers.ts";
export { type Connection, connectBroker } from "./connection.ts";
export { fileLogin, tlsOptions } from "./login.ts";
export type { ConnectOptions, Login, PublishOptions, TlsOptions } from "./options.ts";
