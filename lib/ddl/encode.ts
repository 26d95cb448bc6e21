import { type AgentDdl, agentDdlSchema, type DdlAction, type DdlAggregate } from "./ddl.ts";

/** An agent DDL as its JSON document, keys in their usual order. */
export function encodeDdl(ddl: AgentDdl): string {
  const { name, description, author, license, version, url, timeout, provider, service } = ddl.metadata;
  const metadata = { license, author, timeout, name, version, url, description, provider, service };
  return JSON.stringify({ $schema: agentDdlSchema, metadata, actions: ddl.actions.map(encodeAction) });
}

function encodeAction({ name, input, output, display, description, aggregate }: DdlAction): object {
  return {
    action: name,
    input,
    output,
    display,
    description,
    aggregate: aggregate.length === 0 ? undefined : aggregate.map(encodeAggregate),
  };
}

function encodeAggregate({ function: name, output, options }: DdlAggregate): object {
  return { function: name, args: Object.keys(options).length === 0 ? [output] : [output, options] };
}
