import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  decodeActivationReply,
  decodeExternalReply,
  encodeActivationRequest,
  encodeExternalRequest,
} from "../../lib/external/mod.ts";
import { messageFor } from "./support.ts";

const fixture = async (name: string) =>
  (await Bun.file(new URL(`../fixtures/external/${name}`, import.meta.url)).text()).trim();

describe("documents for programs", () => {
  test("a request for activation is that of the original, byte by byte", async () => {
    expect(encodeActivationRequest("dummy")).toBe(await fixture("activation_request.json"));
  });

  test("a call is that of the original, byte by byte", async () => {
    const { request } = messageFor("dummy", "ok");
    const text = encodeExternalRequest(request, { agent: "dummy", action: "ok", data: {} });
    expect(text).toBe(await fixture("rpc_request.json"));
  });
});

describe("documents of programs", () => {
  test.each([
    ['{"activate":true}', true],
    ['{"activate":false}', false],
    ['{"activate":"true"}', false],
    ["{}", false],
  ])("the activation reply %s means %p", (text, isActive) => {
    expect(decodeActivationReply(text)).toBe(isActive);
  });

  test("what a reply leaves out is status 0, OK and the action that was called", () => {
    expect(decodeExternalReply('{"data":{}}', "run")).toEqual({
      action: "run",
      statuscode: 0,
      statusmsg: "OK",
      data: {},
    });
  });

  test("what a reply says counts, also a code and an action of its own", () => {
    const text = '{"action":"other","statuscode":200,"statusmsg":"","data":null}';
    expect(decodeExternalReply(text, "run")).toEqual({ action: "other", statuscode: 200, statusmsg: "", data: null });
  });

  test.each([
    ["", "failed to decode reply json: unexpected end of JSON input"],
    [" \n", "failed to decode reply json: unexpected end of JSON input"],
    ["nope", "failed to decode reply json: "],
    ["[]", "failed to decode reply json: expected an object"],
    ['{"statuscode":300}', "failed to decode reply json: statuscode 300 is not from 0 to 255"],
    ['{"statuscode":-1}', "failed to decode reply json: statuscode -1 is not from 0 to 255"],
    ['{"statuscode":"1"}', 'failed to decode reply json: statuscode "1" is not from 0 to 255'],
    ['{"statusmsg":1}', "failed to decode reply json: statusmsg is no text"],
    ['{"action":{}}', "failed to decode reply json: action is no text"],
  ])("the reply %p is refused", (text, reason) => {
    expect(() => decodeExternalReply(text, "run")).toThrow(reason);
  });

  test("whatever a program writes, it is read or refused in the words of the original", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        try {
          expect(decodeExternalReply(text, "run").statuscode).toBeWithin(0, 256);
        } catch (error) {
          expect(String(error)).toStartWith("Error: failed to decode reply json: ");
        }
      }),
    );
  });
});
