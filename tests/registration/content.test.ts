import { describe, expect, test } from "bun:test";
import { utimesSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { generateKey } from "../../lib/crypto/mod.ts";
import { decodeRequest, decodeSecureRequest, decodeTransport } from "../../lib/protocol/mod.ts";
import { fileContent, type Inventory, inventoryContent, registrationMessage } from "../../lib/registration/mod.ts";
import { isObject, type JsonObject, parseObject } from "../../lib/std/mod.ts";
import fileVectors from "../fixtures/registration/filecontent.json";
import inventoryVector from "../fixtures/registration/inventory_message.json";
import { temporaryFolder } from "../support/folder.ts";

const peer = inventoryVector.zcontent_decoded;
const inventory: Inventory = { ...peer, facts: { ...peer.facts } };
const unzip = (document: JsonObject) => gunzipSync(Buffer.from(String(document.zcontent), "base64")).toString();

describe("inventory_content", () => {
  const options = { target: "", take: async () => inventory };

  test("is the original's document, compressed", async () => {
    const document = parseObject(await inventoryContent({ ...options, compress: true }).read());
    expect(Object.keys(document)).toEqual(Object.keys(inventoryVector.payload));
    expect(document.protocol).toBe(inventoryVector.payload.protocol);
    expect(unzip(document)).toBe(JSON.stringify(peer));
  });

  test("carries the content as it is where it is not compressed", async () => {
    const document = parseObject(await inventoryContent({ ...options, compress: false }).read());
    expect(Object.keys(document)).toEqual(["protocol", "content"]);
    expect<unknown>(document.content).toEqual(peer);
  });
});

describe("file_content", () => {
  const [vector] = fileVectors;

  test("is the original's document, compressed", async () => {
    using folder = temporaryFolder();
    const path = folder.file("facts.json");
    writeFileSync(path, JSON.stringify(vector?.zcontent_decoded));
    utimesSync(path, 1_795_321_408, 1_795_321_408);
    const document = parseObject(await fileContent({ path, target: "", compress: true }).read());
    expect(Object.keys(document)).toEqual(Object.keys(vector?.payload ?? {}));
    expect(document).toMatchObject({
      mtime: 1_795_321_408,
      file: path,
      updated: false,
      protocol: vector?.payload.protocol,
    });
    expect(unzip(document)).toBe(JSON.stringify(vector?.zcontent_decoded));
  });

  test("is base64 where it is not compressed, and says when the file is newer", async () => {
    using folder = temporaryFolder();
    const path = folder.file("data");
    writeFileSync(path, "hello");
    utimesSync(path, 1_000, 1_000);
    const provider = fileContent({ path, target: "", compress: false });
    expect(parseObject(await provider.read())).toMatchObject({ updated: false, content: "aGVsbG8=" });
    expect(parseObject(await provider.read())).toMatchObject({ updated: false });
    utimesSync(path, 2_000, 2_000);
    expect(parseObject(await provider.read())).toMatchObject({ updated: true, mtime: 2_000 });
    expect(parseObject(await provider.read())).toMatchObject({ updated: false });
  });

  test("has nothing to tell of a file that is missing or empty", () => {
    using folder = temporaryFolder();
    const path = folder.file("data");
    const provider = fileContent({ path, target: "", compress: true });
    expect(() => provider.read()).toThrow(`could not find data file ${path}`);
    writeFileSync(path, "");
    expect(() => provider.read()).toThrow(`data file ${path} is empty`);
    expect(() => fileContent({ path: "", target: "", compress: true }).read()).toThrow("could not find data file");
  });
});

describe("a registration on its way", () => {
  const key = generateKey();
  const sender = {
    identity: "n1.example.net",
    collective: "choria",
    server: "nats://127.0.0.1:20756",
    secure: (request: Uint8Array) => ({ request, signature: key.sign(request), caller: "a.b.c" }),
  };

  test("has the original's layers", () => {
    const { subject, data } = registrationMessage(Buffer.from("{}"), "", sender, Date.now());
    expect(subject).toBe(inventoryVector.subject);
    const transport = decodeTransport(data);
    const secure = decodeSecureRequest(transport.data);
    const request = decodeRequest(secure.request);
    const { id: _id, time: _time, message: _message, protocol: _protocol, ...inner } = inventoryVector.inner;
    expect(request).toMatchObject(inner);
    const layer = parseObject(data);
    expect(isObject(layer.headers) ? layer.headers : {}).toEqual(inventoryVector.transport.headers);
  });

  test("goes to its target where it has one", () => {
    expect(registrationMessage(Buffer.from("{}"), "inventory.in", sender, 1).subject).toBe("inventory.in");
  });
});
