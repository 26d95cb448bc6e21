/**
 * External agents: programs of any language that answer calls through files or standard input and output, found in
 * folders and hosted as long as they are there.
 *
 * @module
 */
export { type ExternalAgentOptions, externalAgent } from "./agent.ts";
export {
  decodeActivationReply,
  decodeExternalReply,
  type ExternalReply,
  encodeActivationRequest,
  encodeExternalRequest,
  externalProtocols,
} from "./documents.ts";
export { type DdlFile, findDdlFiles, findProgram, refusedNames } from "./files.ts";
export { callProgram, type ProgramCall, ProgramError, type ProgramLimits } from "./program.ts";
export { ExternalAgents, type ExternalAgentsOptions } from "./provider.ts";
