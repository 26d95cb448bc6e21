import { expect, test } from "bun:test";
import { encodeBase64Url } from "../../lib/crypto/mod.ts";
import { encodeUtf8 } from "../../lib/std/mod.ts";
import { startTestBroker } from "../support/broker.ts";
import { TestOrganization } from "../support/organization.ts";

/** What comes over a websocket, message by message. */
function listen(socket: WebSocket): () => Promise<string> {
  const waiting: ((text: string) => void)[] = [];
  const heard: string[] = [];
  const tell = (text: string) => {
    const next = waiting.shift();
    if (next === undefined) heard.push(text);
    else next(text);
  };
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => tell(typeof data === "string" ? data : Buffer.from(data).toString());
  socket.onclose = () => tell("(closed)");
  return () => {
    const text = heard.shift();
    return text === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(text);
  };
}

test("a client may log in by websocket as it may by TCP", async () => {
  const organization = new TestOrganization();
  await using broker = await startTestBroker({
    organization,
    settings: { "plugin.choria.network.websocket_port": "-1" },
  });
  const { token, key } = await organization.client({ callerid: "up=bob" });
  const url = `wss://127.0.0.1:${broker.handle.ports.websocket}`;
  for (const [wrong, expected] of [
    [true, /Authorization Violation/],
    [false, /^PONG/],
  ] as const) {
    const socket = new WebSocket(url, { tls: { rejectUnauthorized: false } });
    const next = listen(socket);
    const info: { nonce: string } = JSON.parse((await next()).replace(/^INFO /, ""));
    const sig = encodeBase64Url(key.sign(encodeUtf8(wrong ? "other" : info.nonce)));
    socket.send(`CONNECT ${JSON.stringify({ verbose: false, auth_token: token, sig })}\r\nPING\r\n`);
    expect(await next()).toMatch(expected);
    socket.close();
  }
});
