import { describe, expect, test } from "bun:test";
import { configFrom } from "../../lib/config/mod.ts";
import { brokersOf, hostAndPort, lookupBrokers } from "../../lib/connector/mod.ts";

const none = () => Promise.reject(new Error("ENOTFOUND"));

describe("brokersOf()", () => {
  test("takes what is configured, with or without a scheme", async () => {
    const config = configFrom({ "plugin.choria.middleware_hosts": "a:4222, nats://b:4333 , tls://c:1" });
    expect(await brokersOf(config, none)).toEqual(["a:4222", "b:4333", "c:1"]);
  });

  test("asks DNS for the records of the original, in its order", async () => {
    const asked: string[] = [];
    const lookup = async (name: string) => {
      asked.push(name);
      if (asked.length === 1) throw new Error("ENOTFOUND");
      return [{ name: "broker.example.net.", port: 4222 }];
    };
    const config = configFrom({ "plugin.choria.srv_domain": "example.net" });
    expect(await brokersOf(config, lookup)).toEqual(["broker.example.net:4222"]);
    expect(asked).toEqual(["_mcollective-server._tcp.example.net", "_x-puppet-mcollective._tcp.example.net"]);
  });

  test("does not ask DNS where it is told not to, and falls back to puppet", async () => {
    const config = configFrom({ "plugin.choria.srv_domain": "example.net", "plugin.choria.use_srv": "no" });
    const lookup = () => Promise.reject(new Error("asked all the same"));
    expect(await brokersOf(config, lookup)).toEqual(["puppet:4222"]);
    expect(await brokersOf(configFrom({}), none)).toEqual(["puppet:4222"]);
  });
});

test("lookupBrokers() puts the lowest priority number first, and gives none without a record", async () => {
  const lookup = async () => [
    { name: "second", port: 1, priority: 20 },
    { name: "first.", port: 2, priority: 10 },
  ];
  expect(await lookupBrokers("x", lookup)).toEqual(["first:2", "second:1"]);
  expect(await lookupBrokers("x", none)).toEqual([]);
});

test("hostAndPort() takes schemes and white space off", () => {
  expect(["nats://h:1", " h:1 ", "tls://h:1", "[::1]:4222"].map(hostAndPort)).toEqual([
    "h:1",
    "h:1",
    "h:1",
    "[::1]:4222",
  ]);
});
