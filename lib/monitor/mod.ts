/**
 * What brokers tell of themselves: questions in the system account, and their answers.
 *
 * @module
 */
export { type AskOptions, askBrokers, type BrokerAnswer, NoBrokersError, type Topic } from "./ask.ts";
export { type BrokerClient, type ConnectionFilter, listConnections } from "./connections.ts";
export { Fields } from "./fields.ts";
