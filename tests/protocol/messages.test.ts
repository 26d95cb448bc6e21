import { describe, expect, test } from "bun:test";
import { decodeBase64, sha256 } from "../../lib/crypto/mod.ts";
import {
  decodeReply,
  decodeRequest,
  decodeRpcReply,
  decodeRpcRequest,
  decodeSecureReply,
  decodeSecureRequest,
  decodeTransport,
  encodeReply,
  encodeRequest,
  encodeSecureReply,
  encodeSecureRequest,
  encodeTransport,
  isTimely,
  newRequest,
  subjects,
} from "../../lib/protocol/mod.ts";
import { decodeUtf8, encodeUtf8, parseKsuid } from "../../lib/std/mod.ts";
import ids from "../fixtures/tokens-and-protocol/ids.json";
import captured from "../fixtures/tokens-and-protocol/messages.json";

const bytesOf = (base64: string) => decodeBase64(base64) ?? new Uint8Array();
const requests = captured.requests.filter(({ layers }) => layers.request_utf8 !== undefined);

describe.each(requests.map((request) => [request.name, request.layers] as const))(
  "the captured %s",
  (_name, layers) => {
    const transport = decodeTransport(bytesOf(layers.transport_base64));
    const secure = decodeSecureRequest(transport.data);
    const request = decodeRequest(secure.request);

    test("is the same document within each of its layers", () => {
      expect(decodeUtf8(transport.data)).toBe(layers.secure_request_utf8 ?? "");
      expect(decodeUtf8(secure.request)).toBe(layers.request_utf8 ?? "");
      expect(secure.request).toEqual(bytesOf(layers.request_base64 ?? ""));
    });

    test("is written again byte for byte", () => {
      expect(decodeUtf8(encodeRequest(request))).toBe(layers.request_utf8 ?? "");
      expect(decodeUtf8(encodeSecureRequest(secure))).toBe(layers.secure_request_utf8 ?? "");
      expect(decodeUtf8(encodeTransport(transport))).toBe(layers.transport_utf8);
    });

    test("says what it was made to say", () => {
      expect(request).toMatchObject({ ttl: 60, collective: "choria", time: 1704168000123456789n });
      expect(transport).toMatchObject({
        sender: request.sender,
        reply: `choria.reply.${transport.reply?.split(".")[2]}.${request.id}`,
      });
    });
  },
);

test("a filter keeps all of its kinds", () => {
  const found = captured.requests.find(({ name }) => name === "direct_signed_request_filtered");
  const transport = decodeTransport(bytesOf(found?.layers.transport_base64 ?? ""));
  expect(decodeRequest(decodeSecureRequest(transport.data).request).filter).toEqual({
    fact: [
      { fact: "country", operator: "==", value: "mt" },
      { fact: "nested.key", operator: "=~", value: "/^x/" },
    ],
    cf_class: ["role::web"],
    agent: ["rpcutil"],
    identity: ["/^node/"],
    compound: [[{ expr: 'with("country=mt") and with("role::web")' }]],
  });
});

test("a federated transport keeps its headers", () => {
  const found = captured.requests.find(({ name }) => name === "federated_transport");
  const bytes = bytesOf(found?.layers.transport_base64 ?? "");
  const transport = decodeTransport(bytes);
  expect(transport.federation?.targets?.length).toBeGreaterThan(0);
  expect(JSON.parse(decodeUtf8(encodeTransport(transport)))).toEqual(JSON.parse(decodeUtf8(bytes)));
});

describe.each(
  captured.replies.filter((reply) => reply.reply_utf8 !== undefined).map((reply) => [reply.name, reply] as const),
)("the captured %s", (_name, captured) => {
  const transport = decodeTransport(bytesOf(captured.transport_base64));
  const secure = decodeSecureReply(transport.data);

  test("is read and written byte for byte, hash and all", () => {
    expect(decodeUtf8(secure.reply)).toBe(captured.reply_utf8 ?? "");
    expect(sha256(secure.reply).toHex()).toBe(secure.hash.toHex());
    expect(decodeUtf8(encodeReply(decodeReply(secure.reply)))).toBe(captured.reply_utf8 ?? "");
    expect(decodeUtf8(encodeSecureReply(secure))).toBe(captured.secure_reply_utf8 ?? "");
    expect(decodeUtf8(encodeTransport(transport))).toBe(captured.transport_utf8);
  });
});

describe("isTimely()", () => {
  const at = Date.UTC(2026, 0, 1);
  const aged = (seconds: number) => BigInt(at - seconds * 1_000) * 1_000_000n;

  test.each(captured.ttl_check)("finds age $age_seconds with ttl $ttl valid: $valid", ({ age_seconds, ttl, valid }) => {
    expect(isTimely({ time: aged(age_seconds), ttl }, at)).toBe(valid);
  });

  test("draws the line strictly on either side", () => {
    expect(isTimely({ time: aged(60), ttl: 60 }, at)).toBe(false);
    expect(isTimely({ time: aged(-60), ttl: 60 }, at)).toBe(false);
    expect(isTimely({ time: aged(60) + 1_000_000n, ttl: 60 }, at)).toBe(true);
  });
});

test("subjects are the original's", () => {
  const [broadcast, direct, service] = captured.subjects;
  expect(subjects.broadcast("choria", "rpcutil")).toBe(broadcast?.publish_subject ?? "");
  expect(subjects.node("choria", captured.server_identity)).toBe(direct?.publish_subject ?? "");
  expect(subjects.service("choria", "rpcutil")).toBe(service?.publish_subject ?? "");
  expect(subjects.reply("choria", "up=bob", "<request id>")).toBe(broadcast?.reply_target ?? "");
  for (const id of ids.private_network_ids) {
    expect(subjects.inbox("choria", id.caller_or_identity)).toBe(id.inbox_prefix);
  }
  expect(subjects.inbox("provisioning")).toBe("provisioning.reply");
});

test("newRequest() has an id and a time of now, to the microsecond and never in exponents", () => {
  const now = 1_704_168_000_123.456;
  const filter = { fact: [], cf_class: [], agent: [], identity: [], compound: [] };
  const message = encodeUtf8("x");
  const request = newRequest(
    { message, sender: "s", caller: "c", collective: "choria", agent: "a", ttl: 60, filter },
    now,
  );
  expect(parseKsuid(request.id)?.seconds).toBe(1_704_168_000);
  expect(request.time).toBe(1_704_168_000_123_456_000n);
  expect(decodeUtf8(encodeRequest(request))).toContain('"time":1704168000123456000,');
  expect(() => encodeRequest({ ...request, caller: "" })).toThrow("/caller: length must be >= 1, but got 0");
  expect(() => encodeRequest({ ...request, message: new Uint8Array() })).toThrow("its message is empty");
});

describe("RPC payloads", () => {
  test("are read as they travelled", () => {
    expect(decodeRpcRequest(encodeUtf8('{"agent":"rpcutil","action":"ping","data":{"a":1},"caller":"x"}'))).toEqual({
      agent: "rpcutil",
      action: "ping",
      data: { a: 1 },
    });
    for (const data of ["", ',"data":null']) {
      expect(decodeRpcRequest(encodeUtf8(`{"agent":"a","action":"b"${data}}`)).data).toEqual({});
    }
    expect(decodeRpcReply(encodeUtf8('{"statuscode":4,"statusmsg":"no","data":"{}"}'))).toEqual({
      action: "",
      statuscode: 4,
      statusmsg: "no",
      data: "{}",
    });
  });

  test("carry codes of an agent's own, as far as peers know them", () => {
    const reply = (code: unknown) => decodeRpcReply(encodeUtf8(JSON.stringify({ statuscode: code })));
    expect([reply(9).statuscode, reply(255).statuscode]).toEqual([9, 255]);
    for (const code of [-1, 256, 1.5, "0", null]) expect(() => reply(code)).toThrow("Cannot read the RPC reply");
  });

  test.each(["", "[]", "{}", '{"agent":1,"action":"b"}', '{"agent":"a","action":"b","data":[]}', "pong"])(
    "of the form %p are refused",
    (text) => {
      expect(() => decodeRpcRequest(encodeUtf8(text))).toThrow("Cannot read the RPC request");
      expect(() => decodeRpcReply(encodeUtf8(text))).toThrow("Cannot read the RPC reply");
    },
  );
});
