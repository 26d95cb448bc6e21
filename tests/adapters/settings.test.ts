import { describe, expect, test } from "bun:test";
import { adapterSettings } from "../../lib/adapters/mod.ts";
import { configFrom } from "../../lib/config/mod.ts";

const settings = (options: Readonly<Record<string, string>>, name = "registration") =>
  adapterSettings(
    configFrom(Object.fromEntries(Object.entries(options).map(([k, v]) => [`plugin.choria.adapter.${name}.${k}`, v]))),
    name,
  );
const least = { type: "choria_streams", "ingest.topic": "choria.broadcast.agent.registration" };

describe("the settings of an adapter", () => {
  test("are those of the compose environment", () => {
    const found = settings({ ...least, "ingest.protocol": "request", "stream.topic": "choria.node_metadata.%s" });
    expect(found).toEqual({
      name: "registration",
      queueLength: 1_000,
      ingest: {
        topic: "choria.broadcast.agent.registration",
        protocol: "request",
        workers: 10,
        clients: false,
        acceptUnverified: false,
      },
      stream: { topic: "choria.node_metadata.%s", workers: 10 },
    });
  });

  test("default to replies under the adapter's name", () => {
    const { ingest, stream } = settings({ ...least, type: "jetstream", "ingest.protocol": "anything" });
    expect([ingest.protocol, stream.topic]).toEqual(["reply", "registration"]);
  });

  test.each([
    [{}, "could not determine type for adapter registration, set plugin.choria.adapter.registration.type"],
    [{ type: "nats_stream" }, "the NATS Streaming Server adapter has been deprecated"],
    [{ type: "kafka" }, "unknown Protocol Adapter type kafka"],
    [{ type: "jetstream" }, "no ingest topic configured, please set plugin.choria.adapter.registration.ingest.topic"],
    [{ ...least, queue_len: "0" }, "expected a whole number from 1"],
    [{ ...least, "ingest.workers": "many" }, "plugin.choria.adapter.registration.ingest.workers"],
    [{ ...least, "ingest.topic": "a b" }, "it is no subject"],
    [{ ...least, "stream.topic": "choria.*" }, "it is no subject"],
    [{ ...least, "ingest.accept_unverified": "maybe" }, "expected true or false"],
  ])("%o are refused", (options, reason) => {
    expect(() => settings(options)).toThrow(reason);
  });

  test("take in subjects with wildcards", () => {
    for (const topic of ["choria.reply.>", "*.broadcast.agent.registration", "a.*.b.>", ">"]) {
      expect(settings({ ...least, "ingest.topic": topic }).ingest.topic).toBe(topic);
    }
  });
});
