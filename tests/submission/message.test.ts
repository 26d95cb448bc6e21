import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { generateKey, verifySignature } from "../../lib/crypto/mod.ts";
import { messageHeaders } from "../../lib/submission/headers.ts";
import {
  checkMessage,
  decodeMessage,
  encodeMessage,
  type NewMessage,
  newMessage,
} from "../../lib/submission/message.ts";
import vectors from "../fixtures/submission/vectors.json";

const now = Date.UTC(2026, 10, 22, 5);
const basis: NewMessage = { subject: "a.b", payload: Buffer.from("x"), sender: "user 0", identity: "n1" };
const made = (fields: Partial<NewMessage> = {}) => newMessage({ ...basis, ...fields }, BigInt(now) * 1_000_000n);
const noSigner = () => {
  throw new Error("nobody signs here");
};

describe("a message of the spool", () => {
  test.each(vectors.spool_file_examples)("is read and written as the original does: $path", ({ content }) => {
    const text = JSON.stringify(content);
    expect(encodeMessage(decodeMessage(text))).toBe(text);
  });

  test("keeps times of other zones to the nanosecond", () => {
    const [first] = vectors.spool_file_examples;
    const local = { ...first?.content, created: "2026-11-22T05:30:42.939839128+01:00" };
    expect(decodeMessage(JSON.stringify(local)).created).toBe(1795321842939839128n);
  });

  test("has the original's defaults", () => {
    const { reliable, priority, ttl, maxTries, tries, nextTry, sign } = made();
    expect({ reliable, priority, ttl, maxTries, tries, nextTry, sign }).toEqual({
      reliable: false,
      priority: 4,
      ttl: 604_800,
      maxTries: 500,
      tries: 0,
      nextTry: 0n,
      sign: false,
    });
  });

  test("of any bytes is read or refused, never more", () => {
    const values = fc.oneof(
      fc.json(),
      fc.string(),
      fc.jsonValue().map((v) => JSON.stringify({ id: v, headers: v })),
    );
    fc.assert(
      fc.property(values, (text) => {
        try {
          decodeMessage(text);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });

  test("survives being written and read, whatever it holds", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1 }),
        fc.string(),
        fc.dictionary(fc.string(), fc.string()),
        (payload, sender, headers) => {
          const message = made({ payload, sender, headers: { ...headers } });
          expect(decodeMessage(encodeMessage(message))).toEqual({ ...message, payload: expect.anything() });
          expect(Buffer.compare(decodeMessage(encodeMessage(message)).payload, payload)).toBe(0);
        },
      ),
    );
  });
});

describe("a message is refused", () => {
  test.each<[string, Partial<NewMessage>, string]>([
    ["without a subject", { subject: "" }, "subject is required"],
    ["without a payload", { payload: new Uint8Array() }, "payload is required"],
    ["of a priority below the lowest", { priority: 5 }, "priority must be 0...4"],
    ["of half a priority", { priority: 1.5 }, "priority must be 0...4"],
    ["that is wanted for no time", { ttl: 0 }, "ttl may not be 0"],
    ["that is wanted for too long", { ttl: 31 * 86_400 + 1 }, "ttl exceeds maximum 744h0m0s"],
    ["without a sender", { sender: "" }, "sender is required"],
    ["with a header of Choria's", { headers: { "cHoria-x": "1" } }, "headers may not start with 'choria' or 'nats'"],
    ["with a header of NATS'", { headers: { "Nats-Msg-Id": "1" } }, "headers may not start with 'choria' or 'nats'"],
    ["with a header of two lines", { headers: { a: "1\r\nNats-Msg-Id: 2" } }, "headers may not hold line ends"],
    [
      "with a header without a good name",
      { headers: { "a b": "1" } },
      'header "a b" has a name that headers cannot have',
    ],
    ["for a wildcard", { subject: "a.>" }, 'subject "a.>" is not one that can be published to'],
    [
      "for a subject of two lines",
      { subject: "a\r\nPUB b" },
      'subject "a\r\nPUB b" is not one that can be published to',
    ],
    [
      "for a subject with nothing between dots",
      { subject: "a..b" },
      'subject "a..b" is not one that can be published to',
    ],
  ])("%s", (_what, fields, text) => {
    expect(() => checkMessage(made(fields), now)).toThrow(text);
  });

  test("once its time is over, and not before", () => {
    const message = made({ ttl: 60 });
    expect(() => checkMessage(message, now + 60_000)).not.toThrow();
    expect(() => checkMessage(message, now + 60_001)).toThrow("message has expired");
  });
});

describe("the headers of a message", () => {
  const sent = vectors.nats_messages.filter(({ subject }) => subject.startsWith("choria.submission.in."));

  test("are those that the original sends", () => {
    const [first, second] = vectors.spool_file_examples;
    for (const { content } of [first, second].flatMap((found) => (found ? [found] : []))) {
      const peer = sent.find(
        ({ header }) =>
          header?.["Nats-Msg-Id"][0] === content.id && Number(header["Choria-Tries"]?.[0] ?? 0) === content.tries,
      );
      const headers = messageHeaders(decodeMessage(JSON.stringify(content)), noSigner);
      const found = Object.fromEntries(headers.keys().map((name) => [name, headers.values(name)]));
      expect<unknown>(found).toEqual(peer?.header);
    }
  });

  test("the original's signature is over exactly the payload, and so is ours", () => {
    const signed = sent.find(({ header }) => header?.["Choria-Signature"] !== undefined);
    const signature = Uint8Array.fromHex(signed?.header?.["Choria-Signature"]?.[0] ?? "");
    expect(verifySignature(vectors.server_public_key_hex, Buffer.from(signed?.data ?? ""), signature)).toBe(true);
    const key = generateKey();
    const headers = messageHeaders(made({ sign: true }), () => ({ token: "the.token", key }));
    expect(headers.get("Choria-Token")).toBe("the.token");
    const own = Uint8Array.fromHex(headers.get("Choria-Signature"));
    expect(verifySignature(key.publicKey, Buffer.from("x"), own)).toBe(true);
  });

  test("stand beside those of the submitter", () => {
    const headers = messageHeaders(made({ headers: { kind: "report" } }), noSigner);
    expect(headers.get("kind")).toBe("report");
    expect(headers.get("Choria-Identity")).toBe("n1");
  });
});
