import { encodeBase64 } from "../crypto/mod.ts";
import { encodeUtf8 } from "../std/mod.ts";
import { decodeDocumentText, documentText, exactInteger, requireBytes, requireText } from "./decode.ts";
import { ProtocolError } from "./error.ts";

const protocol = "io.choria.protocol.v2.reply";
const what = "reply";

/** What an agent answers: the innermost signed document. */
export interface Reply {
  /** The agent's payload, usually JSON. */
  message: Uint8Array;
  /** Id of the request that is answered. */
  request: string;
  /** Identity of the answering server. */
  sender: string;
  agent: string;
  /** Unix time in nanoseconds. */
  time: bigint;
}

/** Write a reply as `io.choria.protocol.v2.reply`. The bytes are what gets signed. */
export function encodeReply(reply: Reply): Uint8Array {
  const { request, sender, agent, time } = reply;
  const head = JSON.stringify({ protocol, message: encodeBase64(reply.message), request, sender, agent });
  return encodeUtf8(`${head.slice(0, -1)},"time":${time}}`);
}

/**
 * Read a reply.
 * @throws {ProtocolError} naming the field that is missing or of another form.
 */
export function decodeReply(bytes: Uint8Array): Reply {
  const text = documentText(bytes, what);
  const document = decodeDocumentText(text, protocol, what);
  return {
    message: requireBytes(document, "message", what),
    request: requireText(document, "request", what),
    sender: requireText(document, "sender", what),
    agent: requireText(document, "agent", what),
    time: checkTime(exactInteger(text, document, "time")),
  };
}

function checkTime(time: bigint | undefined): bigint {
  if (time !== undefined) return time;
  throw new ProtocolError("Cannot read the reply: /time: expected whole nanoseconds");
}
