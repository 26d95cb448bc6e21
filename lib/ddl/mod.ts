/**
 * Agent DDLs: what an agent's actions take and give, how typed text becomes inputs, what is checked, how outputs
 * are labelled and summed up, and where DDLs are found.
 *
 * @module
 */
export { Aggregates, type Aggregator } from "./aggregate.ts";
export { builtinDdl, builtinDdls } from "./builtin.ts";
export { type CheckedOutputs, checkOutputs } from "./check_outputs.ts";
export { completeInputs, convertInputs } from "./convert.ts";
export { builtinDataDdls, type DataDdl } from "./data.ts";
export {
  type AgentDdl,
  agentDdlSchema,
  type DdlAction,
  type DdlAggregate,
  type DdlInput,
  type DdlMetadata,
  type DdlOutput,
  type DisplayMode,
  findAction,
  type ValueType,
} from "./ddl.ts";
export { DdlError, decodeDdl, parseDdl } from "./decode.ts";
export { encodeDdl } from "./encode.ts";
export { outputLabel, withOutputDefaults } from "./outputs.ts";
export { builtinResolver, type DdlResolver, folderAgents, folderResolver, resolveDdl } from "./resolver.ts";
export { encodeRubyDdl } from "./ruby.ts";
export {
  type ActionInputs,
  type ActionName,
  type ActionOf,
  type ActionOutputs,
  defineDdl,
  type ValueOf,
} from "./typed.ts";
export { checkValue, validateInputs } from "./validate.ts";
