/**
 * Connections to the broker: where it is, who we are, and coming back for ever.
 *
 * @module
 */
export { brokersOf, hostAndPort, lookupBrokers, type SrvLookup } from "./brokers.ts";
export {
  type Connection,
  type ConnectOptions,
  connectBroker,
  type Login,
  type PublishOptions,
  type TlsOptions,
} from "./connection.ts";
export { fileLogin, tlsOptions } from "./login.ts";
