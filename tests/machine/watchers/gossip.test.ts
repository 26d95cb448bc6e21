import { describe, expect, test } from "bun:test";
import type { Connection, PublishOptions } from "../../../lib/connector/mod.ts";
import type { JsonObject } from "../../../lib/std/mod.ts";
import { TestMachine, type TestMachineOptions } from "../../support/machine.ts";
import { waitFor } from "../../support/wait.ts";

interface Published {
  subject: string;
  payload: string;
  ttl: string | undefined;
}

/** A connection that keeps what is published; nothing else of it works. */
function keeper(): { connection: Connection; published: Published[] } {
  const published: Published[] = [];
  const connection = {
    publish(subject: string, data: Uint8Array, options?: PublishOptions) {
      const ttl = options?.headers?.get("Nats-TTLSeconds");
      published.push({ subject, payload: new TextDecoder().decode(data), ttl });
    },
  };
  return { connection: connection as unknown as Connection, published };
}

function gossipMachine(properties: JsonObject, options: Partial<TestMachineOptions> = {}): TestMachine {
  return new TestMachine({
    ...options,
    definition: { stateMatch: ["RUN"], interval: 2_000, ...options.definition, type: "gossip", properties },
  });
}

const service = { cluster: "c1", service: "web", protocol: "http", ip: "192.168.1.1", port: 80, priority: 1 };

describe("a gossip watcher", () => {
  test("publishes at once, and then at each interval, while its states last", async () => {
    const { connection, published } = keeper();
    using machine = gossipMachine(
      { subject: "gossip.test", payload: "hello {{ c }}", ttl_seconds: 30 },
      { connection, render: (text) => text.replace("{{ c }}", "mt") },
    );
    const watcher = await machine.start();
    expect(watcher.snapshot().fields).toEqual({
      previous_subject: "",
      previous_payload: "",
      previous_gossip: -62_135_596_800,
    });
    await machine.clock.advance(0);
    await waitFor("the first", () => published.length === 1);
    expect(published[0]).toEqual({ subject: "gossip.test", payload: "hello mt", ttl: "30s" });
    await machine.clock.advance(2_000);
    await waitFor("the second", () => published.length === 2);
    machine.enter("OTHER");
    await machine.clock.advance(60_000);
    expect(published).toHaveLength(2);
    machine.enter("RUN");
    await waitFor("the return", () => published.length === 3);
    expect(machine.announced).toEqual([]);
    const now = machine.clock.now() / 1_000;
    expect(watcher.snapshot()).toEqual({
      fields: { previous_subject: "gossip.test", previous_payload: "hello mt", previous_gossip: now },
      text: `m#w subject: gossip.test, previous: ${now}`,
    });
  });

  test("tells of a service, under the id of its machine", async () => {
    const { connection, published } = keeper();
    using machine = gossipMachine({ registration: { ...service, annotations: { a: "b" } } }, { connection });
    await machine.start();
    await machine.clock.advance(0);
    await waitFor("the message", () => published.length === 1);
    expect(published[0]).toEqual({
      subject: `$KV.CHORIA_SERVICES.c1.http.web.${machine.context.machine.id}`,
      payload:
        '{"cluster":"c1","service":"web","protocol":"http","address":"192.168.1.1","port":80,"priority":1,"annotations":{"a":"b"}}',
      ttl: undefined,
    });
    using other = gossipMachine({ registration: { ...service, prefix: "services" } }, { connection });
    await other.start();
    await other.clock.advance(0);
    await waitFor("the other", () => published.length === 2);
    expect(published[1]?.subject).toStartWith("services.c1.http.web.");
    expect(published[1]?.payload).not.toContain("annotations");
  });

  test("says every fifteen seconds where the manifest says nothing else", async () => {
    const { connection, published } = keeper();
    const definition = { type: "gossip", interval: 0 };
    using machine = gossipMachine({ subject: "a", payload: "b" }, { connection, definition });
    await machine.start();
    await machine.clock.advance(0);
    await waitFor("the first", () => published.length === 1);
    await machine.clock.advance(14_999);
    expect(published).toHaveLength(1);
    await machine.clock.advance(1);
    await waitFor("the second", () => published.length === 2);
  });

  test("goes on where a template fails, gives no subject, or there is no broker", async () => {
    const { connection, published } = keeper();
    using machine = gossipMachine({ subject: "{{x}}", payload: "b" }, { connection, render: () => "a.>" });
    await machine.start();
    await machine.clock.advance(10_000);
    await waitFor("the complaint", () => machine.logger.lines.some(({ level }) => level === "error"));
    expect(published).toEqual([]);
    using alone = gossipMachine({ subject: "a", payload: "b" });
    await alone.start();
    await alone.clock.advance(0);
    await waitFor("the complaint", () => alone.logger.lines.some(({ level }) => level === "error"));
  });

  test.each([
    [{}, "subject is required"],
    [{ subject: "a" }, "payload is required"],
    [{ subject: 'a.{{ lookup "x" "y" }}', payload: "x" }, "invalid registration subject"],
    [{ subject: "a.*", payload: "x" }, "invalid registration subject"],
    [{ subject: "a..b", payload: "x" }, "invalid registration subject"],
    [{ registration: { ...service, cluster: "1c" } }, "invalid cluster '1c'"],
    [{ registration: { ...service, protocol: "" } }, "protocol is required"],
    [{ registration: { ...service, port: "many" } }, "port has to be a number"],
    [{ registration: { ...service, ip: "" } }, "ip is required"],
    [{ registration: { ...service, port: 0 } }, "port is required"],
    [{ registration: { ...service, prefix: "a b" } }, "invalid registration subject"],
  ])("refuses %p", async (properties, error) => {
    await expect(gossipMachine(properties).load()).rejects.toThrow(`could not set properties: ${error}`);
  });
});
