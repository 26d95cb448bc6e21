import type { Config } from "../config/mod.ts";
import { isSubject } from "./document.ts";

/** One adapter of the configuration: `plugin.choria.adapter.NAME.…`. */
export interface AdapterSettings {
  name: string;
  /** Most documents that wait for their turn to be published. */
  queueLength: number;
  ingest: {
    /** Subject that is taken in. */
    topic: string;
    /** What travels there. */
    protocol: "request" | "reply";
    /** How many messages are looked at at a time. */
    workers: number;
    /** Take also what clients ask, when they may: its sender is then who the client says it is. */
    clients: boolean;
    /** Take messages whose signature nobody checks. */
    acceptUnverified: boolean;
  };
  stream: {
    /** Subject of documents; each `%s` stands for the sender. */
    topic: string;
    /** Each may have a hundred documents on their way. */
    workers: number;
  };
}

/** More than these give nothing but memory in use. */
const most = { queue: 1_000_000, workers: 1_000 };

/**
 * The settings of an adapter.
 *
 * @throws {Error} naming the key that is missing or cannot be used.
 */
export function adapterSettings(config: Config, name: string): AdapterSettings {
  const key = (option: string) => `plugin.choria.adapter.${name}.${option}`;
  const option = (suffix: string) => config.option(key(suffix))?.trim() ?? "";
  checkKind(name, option("type"));
  const topic = option("ingest.topic");
  if (topic === "") throw new Error(`no ingest topic configured, please set ${key("ingest.topic")}`);
  const count = (suffix: string, fallback: number, max: number) =>
    positive(key(suffix), option(suffix), { fallback, max });
  return {
    name,
    queueLength: count("queue_len", 1_000, most.queue),
    ingest: {
      topic: subject(key("ingest.topic"), topic, { wildcards: true }),
      protocol: option("ingest.protocol").toLowerCase() === "request" ? "request" : "reply",
      workers: count("ingest.workers", 10, most.workers),
      clients: isTrue(key("ingest.clients"), option("ingest.clients")),
      acceptUnverified: isTrue(key("ingest.accept_unverified"), option("ingest.accept_unverified")),
    },
    stream: {
      topic: subject(key("stream.topic"), option("stream.topic") || name, { wildcards: false }),
      workers: count("stream.workers", 10, most.workers),
    },
  };
}

function checkKind(name: string, kind: string): void {
  if (kind === "choria_streams" || kind === "jetstream") return;
  if (kind === "nats_stream") throw new Error("the NATS Streaming Server adapter has been deprecated");
  if (kind !== "") throw new Error(`unknown Protocol Adapter type ${kind}`);
  throw new Error(`could not determine type for adapter ${name}, set plugin.choria.adapter.${name}.type`);
}

function subject(key: string, text: string, { wildcards }: { wildcards: boolean }): string {
  const plain = wildcards ? text.replace(/\.>$/, ".x").replace(/(^|\.)\*(?=\.|$)/g, "$1x") : text;
  if (text === ">" || isSubject(plain)) return text;
  throw new Error(`Cannot use ${key} = "${text}": it is no subject`);
}

function positive(key: string, text: string, { fallback, max }: { fallback: number; max: number }): number {
  if (text === "") return fallback;
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= max) return value;
  throw new Error(`Cannot use ${key} = "${text}": expected a whole number from 1 to ${max}`);
}

function isTrue(key: string, text: string): boolean {
  if (/^(1|yes|true|y|t)$/i.test(text)) return true;
  if (text === "" || /^(0|no|false|n|f)$/i.test(text)) return false;
  throw new Error(`Cannot use ${key} = "${text}": expected true or false`);
}
