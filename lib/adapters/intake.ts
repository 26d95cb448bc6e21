import {
  decodeReply,
  decodeRequest,
  decodeSecureReply,
  decodeSecureRequest,
  decodeTransport,
  isTimely,
  type Request,
  type SecureRequest,
} from "../protocol/mod.ts";
import {
  ReplayGuard,
  ReplyVerifier,
  RequestVerifier,
  SecurityError,
  ServerRequestVerifier,
  type Trust,
} from "../security/mod.ts";
import type { Clock } from "../std/mod.ts";
import { parseToken, purposeOf, TokenVerifier } from "../tokens/mod.ts";

/** A message that was taken in. */
export interface TakenIn {
  /** Who it is from. */
  sender: string;
  requestId: string;
  /** When it was made: Unix time in nanoseconds. */
  time: bigint;
  /** What it says. */
  body: Uint8Array;
}

/**
 * Takes the bytes of a message off the wire.
 *
 * @throws {Error} saying why the message is not taken in.
 */
export type Intake = (bytes: Uint8Array) => Promise<TakenIn>;

/** Who is believed. */
export interface IntakeOptions {
  trust: Trust;
  /** @default false */
  clients?: boolean;
  /** @default false */
  acceptUnverified?: boolean;
  clock: Clock;
}

/** A fleet's tokens are verified once each. */
const rememberedTokens = 16_384;

/** Replies say nothing of how long they are good; this allows for clocks that are off, in milliseconds. */
const replyValidity = 2 * 60_000;

/** A minute of the busiest fleets. */
const rememberedIds = 2_000_000;

/**
 * Takes in requests: those that servers make about themselves, in their own name, and where that is allowed those of
 * clients. Each is taken once, while it is valid.
 */
export function requestIntake(options: IntakeOptions): Intake {
  const { trust, clock, clients = false, acceptUnverified = false } = options;
  const tokens = new TokenVerifier(clock, rememberedTokens);
  const ofServers = new ServerRequestVerifier(trust, tokens);
  const ofClients = new RequestVerifier(trust, tokens);
  const guard = new ReplayGuard({ max: rememberedIds });
  const verify = async (secure: SecureRequest): Promise<Request> => {
    if (acceptUnverified) return decodeRequest(secure.request);
    if (!clients || purposeOf(parseToken(secure.caller).raw) !== "choria_client_id") return ofServers.verify(secure);
    return (await ofClients.verify(secure)).request;
  };
  return async (bytes) => {
    const request = await verify(decodeSecureRequest(decodeTransport(bytes).data));
    const { sender, caller, id: requestId, time, message: body } = request;
    checkId("Request", sender, requestId);
    const now = clock.now();
    if (!isTimely(request, now)) throw deny("Request", sender, "it is too old, or clocks differ");
    const until = Number(time / 1_000_000n) + 1_000 * request.ttl;
    if (!guard.admit(caller, requestId, until, now)) throw deny("Request", sender, "it was received before");
    return { sender, requestId, time, body };
  };
}

/** Takes in replies of servers, each once. */
export function replyIntake({ trust, clock, acceptUnverified = false }: IntakeOptions): Intake {
  const tokens = new TokenVerifier(clock, rememberedTokens);
  const verifier = new ReplyVerifier(trust, tokens);
  const guard = new ReplayGuard({ max: rememberedIds });
  return async (bytes) => {
    const secure = decodeSecureReply(decodeTransport(bytes).data);
    const reply = acceptUnverified ? decodeReply(secure.reply) : await verifier.verify(secure);
    const { sender, request: requestId, time, message: body } = reply;
    checkId("Reply", sender, requestId);
    const now = clock.now();
    const made = Number(time / 1_000_000n);
    if (Math.abs(now - made) >= replyValidity) throw deny("Reply", sender, "it is too old, or clocks differ");
    if (!guard.admit(sender, requestId, made + replyValidity, now)) {
      throw deny("Reply", sender, "it was received before");
    }
    return { sender, requestId, time, body };
  };
}

/** Ids are remembered, and travel in a header. */
function checkId(what: string, sender: string, id: string): void {
  if (!/^[!-~]{1,128}$/.test(id)) throw deny(what, sender, "its request id is not up to 128 printable characters");
}

function deny(what: string, sender: string, reason: string): SecurityError {
  return new SecurityError(`${what} of "${sender}" is not accepted: ${reason}`);
}
