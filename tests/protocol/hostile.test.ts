import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decodeBase64 } from "../../lib/crypto/mod.ts";
import {
  decodeReply,
  decodeRequest,
  decodeRpcReply,
  decodeRpcRequest,
  decodeSecureReply,
  decodeSecureRequest,
  decodeTransport,
  encodeRequest,
  ProtocolError,
  parseFactFilter,
} from "../../lib/protocol/mod.ts";
import { encodeUtf8 } from "../../lib/std/mod.ts";
import captured from "../fixtures/tokens-and-protocol/messages.json";

const decoders: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  transport: decodeTransport,
  "secure request": decodeSecureRequest,
  "secure reply": decodeSecureReply,
  request: decodeRequest,
  reply: decodeReply,
  "RPC request": decodeRpcRequest,
  "RPC reply": decodeRpcReply,
};

const transport = decodeBase64(captured.requests[1]?.layers.transport_base64 ?? "") ?? new Uint8Array();
const secure = decodeTransport(transport).data;
const request = decodeSecureRequest(secure).request;
const replyTransport = decodeBase64(captured.replies[0]?.transport_base64 ?? "") ?? new Uint8Array();
const secureReply = decodeTransport(replyTransport).data;
const good: Readonly<Record<string, Uint8Array>> = {
  transport,
  "secure request": secure,
  "secure reply": secureReply,
  request,
  reply: decodeSecureReply(secureReply).reply,
  "RPC request": decodeRequest(request).message,
  "RPC reply": decodeReply(decodeSecureReply(secureReply).reply).message,
};

/** The error of a decoder, if any; every error must be a ProtocolError. */
function judge(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): unknown {
  try {
    decode(bytes);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError);
    return error;
  }
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

describe.each(Object.entries(decoders))("the %s decoder", (name, decode) => {
  const sample = good[name] ?? new Uint8Array();

  test("takes the captured document", () => {
    expect(judge(decode, sample)).toBeUndefined();
  });

  test("refuses it cut short anywhere", () => {
    fc.assert(
      fc.property(fc.nat(sample.length - 1), (length) => {
        expect(judge(decode, sample.subarray(0, length))).toBeDefined();
      }),
      { numRuns: 1_000 },
    );
  });

  test("takes or refuses it with bits flipped, never with another error", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(sample.length * 8 - 1), { minLength: 1, maxLength: 4 }), (bits) => {
        const changed = new Uint8Array(sample);
        for (const bit of bits) changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        judge(decode, changed);
      }),
      { numRuns: 2_000 },
    );
  });

  test("takes or refuses values of wrong types, never with another error", () => {
    const document = JSON.parse(text(sample));
    const keys = fc.constantFrom(...Object.keys(document), "__proto__", "constructor", "signer", "headers");
    fc.assert(
      fc.property(fc.dictionary(keys, fc.jsonValue({ maxDepth: 3 }), { minKeys: 1, maxKeys: 3 }), (odd) => {
        judge(decode, encodeUtf8(JSON.stringify({ ...document, ...odd })));
      }),
      { numRuns: 1_500 },
    );
  });

  test("refuses bytes of any kind", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(judge(decode, bytes)).toBeDefined();
      }),
      { numRuns: 1_000 },
    );
  });

  test("refuses other encodings", () => {
    expect(judge(decode, Buffer.from(text(sample), "utf16le"))).toBeDefined();
    expect(judge(decode, Buffer.from(text(sample)).toReversed())).toBeDefined();
    expect(judge(decode, Buffer.concat([sample, new Uint8Array([0xff])]))).toBeDefined();
  });

  test("refuses what is too long or too deep, quickly", () => {
    const started = performance.now();
    expect(String(judge(decode, new Uint8Array(8 * 1_024 * 1_024 + 1).fill(32)))).toContain("longer than 8 MiB");
    expect(judge(decode, encodeUtf8("[".repeat(1_000_000)))).toBeDefined();
    const nested = `${"[".repeat(500_000)}${"]".repeat(500_000)}`;
    judge(decode, encodeUtf8(`{"deep":${nested},${text(sample).slice(1)}`));
    judge(decode, encodeUtf8(`{"deep":{"time":1,"x":${nested}},${text(sample).slice(1)}`));
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});

test("a reply whose time is beyond any date is refused, rather than whoever writes it", () => {
  const reply = text(good.reply ?? new Uint8Array());
  const dated = (time: string) => encodeUtf8(reply.replace(/"time":\d+/, `"time":${time}`));
  expect(decodeReply(dated("9223372036854775807")).time).toBe((1n << 63n) - 1n);
  expect(() => decodeReply(dated(`1${"0".repeat(40)}`))).toThrow("/time: expected whole nanoseconds");
});

test("a reply that would fill memory once it is shown indented is refused", () => {
  const reply = (levels: number, more = "") =>
    encodeUtf8(`{"statuscode":0,"statusmsg":"OK","data":{"a":${"[".repeat(levels)}${"]".repeat(levels)}${more}}}`);
  expect(() => decodeRpcReply(reply(999))).toThrow("it nests more than 1000 levels deep");
  expect(decodeRpcReply(reply(998)).statuscode).toBe(0);
  const wide = `,"b":[${"[],".repeat(5_000)}"${"[{".repeat(5_000)}\\"["]`;
  expect(decodeRpcReply(reply(10, wide)).statuscode).toBe(0);
});

describe("decodeRequest()", () => {
  const changed = (change: (document: string) => string) => encodeUtf8(change(text(request)));

  test("keeps every digit of the time, however the document spells its keys", () => {
    expect(decodeRequest(request).time).toBe(1704168000123456789n);
    const nested = changed((document) => document.replace("{", '{"x":{"time":5},'));
    expect(decodeRequest(nested).time).toBe(1704168000123456789n);
    const escaped = changed((document) => document.replace('"time":', '"x":{"time":5},"\\u0074ime":'));
    expect(decodeRequest(escaped).time).toBe(1704168000123456789n);
    const twice = changed((document) => document.replace("{", '{"time":7,'));
    expect(decodeRequest(twice).time).toBe(1704168000123456789n);
  });

  test.each([
    ["1704168000123456789.0", "/time"],
    ["1.704168e18", "/time"],
    ["-5", "/time"],
    ["0", "/time"],
    ["9223372036854775808", "/time"],
    ['"1704168000123456789"', "/time"],
  ])("refuses the time %s", (time, place) => {
    const bytes = changed((document) => document.replace("1704168000123456789", time));
    expect(() => decodeRequest(bytes)).toThrow(place);
  });

  test.each(["0", "-1", "1.5", '"60"', "null", "1e400"])("refuses the ttl %s", (ttl) => {
    const bytes = changed((document) => document.replace('"ttl":60', `"ttl":${ttl}`));
    expect(() => decodeRequest(bytes)).toThrow("/ttl: expected a whole number of seconds, at least 1");
  });

  test("gives back what encodeRequest() wrote, whatever it says", () => {
    const texts = fc.string({ unit: "binary", minLength: 1, maxLength: 30 });
    const lists = fc.array(texts, { maxLength: 3 });
    const operators = fc.constantFrom("==", "!=", "=~", "<", "<=", ">", ">=" as const);
    const documents = fc.record({
      message: fc.uint8Array({ minLength: 1, maxLength: 100 }),
      id: texts,
      sender: texts,
      caller: texts,
      collective: texts,
      agent: texts,
      ttl: fc.integer({ min: 1 }),
      time: fc.bigInt({ min: 1n, max: (1n << 63n) - 1n }),
      filter: fc.record({
        fact: fc.array(fc.record({ fact: texts, operator: operators, value: texts }), { maxLength: 3 }),
        cf_class: lists,
        agent: lists,
        identity: lists,
        compound: fc.array(
          texts.map((expr) => [{ expr }]),
          { maxLength: 2 },
        ),
      }),
    });
    fc.assert(
      fc.property(documents, (document) => {
        expect(decodeRequest(encodeRequest(document))).toEqual(document);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("parseFactFilter()", () => {
  test("ends quickly on any text, with a filter or a SyntaxError that names it", () => {
    const parts = fc.constantFrom("a", "=", "<", ">", "!", "~", "/", " ", ".");
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(parts, { maxLength: 12 }).map((all) => all.join("")),
        ),
        (typed) => {
          try {
            const { fact, value } = parseFactFilter(typed);
            expect(fact.length * value.length).toBeGreaterThan(0);
          } catch (error) {
            expect(error).toBeInstanceOf(SyntaxError);
            expect(String(error)).toContain(`could not parse fact ${typed} it does not`);
          }
        },
      ),
      { numRuns: 3_000 },
    );
    expect(() => parseFactFilter("=".repeat(300_001))).toThrow(SyntaxError);
  });
});
