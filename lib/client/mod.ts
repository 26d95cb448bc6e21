/**
 * The client of the network: connects once, finds nodes, and calls actions of their agents. Replies are verified in
 * full; those that are not believed are counted and shown, never mixed in.
 *
 * @module
 */
export { type ActionReply, ActionRequest } from "./action_request.ts";
export { AgentClient } from "./agent_client.ts";
export { type DiscoverOptions, type Discovery, defaultDiscoveryOptions } from "./discover.ts";
export { type FilterOptions, filterOf } from "./filter_options.ts";
export { connectFleet, Fleet, type FleetOptions } from "./fleet.ts";
export type { PingOptions, PingReply } from "./ping.ts";
export { Registry, type RegistryOptions, registryAgent } from "./registry.ts";
export { jsonLinesWriter, jsonWriter } from "./render/json.ts";
export { type RenderFormat, type RenderOptions, renderFormats, renderRequest } from "./render/render.ts";
export { sendersWriter } from "./render/senders.ts";
export { tableOf, tableWriter } from "./render/table.ts";
export { footerText, replyText, type TextOptions, textWriter } from "./render/text.ts";
export { prettyJson, valueText } from "./render/values.ts";
export { type DisplayChoice, displayModes, type RequestView, type ResultWriter } from "./render/writer.ts";
export type { FleetReply } from "./reply.ts";
export { ReplyFilter } from "./reply_filter.ts";
export { FleetRequest } from "./request.ts";
export type { RequestEvent, RequestOptions } from "./request_options.ts";
export type { Rejection, RequestStats } from "./stats.ts";
export { batchesOf, type LimitOptions, limitTargets } from "./targets.ts";
export type { ActionArguments, ActionOptions, TypedAgent } from "./typed_agent.ts";
