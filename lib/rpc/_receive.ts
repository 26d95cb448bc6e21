import { decodeBase64 } from "../crypto/mod.ts";
import {
  decodeRequest,
  decodeSecureRequest,
  decodeTransport,
  type Filter,
  isEmptyFilter,
  isTimely,
  type Request,
  type Transport,
} from "../protocol/mod.ts";
import type { ReplayGuard, RequestVerifier } from "../security/mod.ts";
import { errorText, type LogFields } from "../std/mod.ts";
import type { AgentMessage } from "./agent.ts";
import type { HostStats } from "./host_stats.ts";

/** What decides whether a message is let in. */
export interface ReceiveOptions {
  collectives: readonly string[];
  /** Absent where requests are taken unverified. */
  verifier?: Pick<RequestVerifier, "verify"> | undefined;
  matches: (filter: Filter) => boolean | Promise<boolean>;
  replay?: ReplayGuard | undefined;
  stats: HostStats;
  now: () => number;
}

/** A message that was let in, and where its reply goes. */
export interface Incoming {
  message: AgentMessage;
  transport: Transport;
}

/** Why a message was not let in, and what it counts as. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly counter: "invalid" | "filtered" | "ttlexpired" | "replayed";
  readonly fields: LogFields;
  /** Whether somebody should look into it; requests for other nodes are the daily course. */
  readonly isFault: boolean;

  constructor(counter: Refused["counter"], reason: string, fields: LogFields = {}, options = { isFault: true }) {
    super(reason);
    this.counter = counter;
    this.fields = fields;
    this.isFault = options.isFault;
  }
}

/**
 * Take a message apart and let it in or not. The order of the checks is that of the original, so that the same
 * message counts the same; the replay guard comes last, as only then an id is worth remembering.
 *
 * @throws {Refused} when it is not let in.
 */
export async function receive(data: Uint8Array, options: ReceiveOptions): Promise<Incoming> {
  const { stats } = options;
  stats.total++;
  const { message, transport } = await believe(data, options);
  const { request } = message;
  await checkFilter(request, options);
  stats.passed++;
  checkCollective(request, options.collectives);
  const now = options.now();
  if (!isTimely(request, now)) {
    throw new Refused("ttlexpired", `The request is outside its validity of ${request.ttl} s`, fieldsOf(request));
  }
  checkReplay(request, options.replay, now);
  stats.valid++;
  stats.lastMessage = Math.floor(now / 1_000);
  return { message, transport };
}

/** The facts about a request that go beside a log message. */
export function fieldsOf(request: Request): LogFields {
  const { id, caller, sender, agent } = request;
  return { requestid: id, caller, sender, agent };
}

async function believe(data: Uint8Array, options: ReceiveOptions): Promise<Incoming> {
  try {
    const transport = decodeTransport(data);
    const secure = decodeSecureRequest(transport.data);
    if (options.verifier === undefined) {
      const request = decodeRequest(secure.request);
      return { transport, message: { request, payload: payloadOf(request) } };
    }
    const { request, caller, callerToken } = await options.verifier.verify(secure);
    return { transport, message: { request, payload: payloadOf(request), caller, callerToken } };
  } catch (error) {
    throw new Refused("invalid", errorText(error));
  }
}

/**
 * The request's message with a second layer of base64 taken off where there is one, as discovery clients send it.
 * JSON never is base64, so other payloads stay as they are.
 */
function payloadOf({ message }: Request): Uint8Array {
  const isJson = message[0] === 0x7b;
  return isJson ? message : (decodeBase64(Buffer.from(message).toString("latin1")) ?? message);
}

async function checkFilter(request: Request, { matches }: ReceiveOptions): Promise<void> {
  if (isEmptyFilter(request.filter)) return;
  let isMatch = false;
  try {
    isMatch = await matches(request.filter);
  } catch (error) {
    const reason = `The filter cannot be evaluated: ${errorText(error)}`;
    throw new Refused("filtered", reason, fieldsOf(request));
  }
  if (!isMatch) throw new Refused("filtered", "The filter does not match", fieldsOf(request), { isFault: false });
}

function checkCollective(request: Request, collectives: readonly string[]): void {
  if (collectives.includes(request.collective)) return;
  const reason = `cannot set collective to '${request.collective}', it is not on the list of known collectives`;
  throw new Refused("invalid", reason, fieldsOf(request));
}

function checkReplay(request: Request, replay: ReplayGuard | undefined, now: number): void {
  if (replay === undefined) return;
  const validUntil = Number(request.time) / 1e6 + request.ttl * 1_000;
  // Both are under the signature; with the id alone one caller could use up another's.
  if (replay.admit(request.caller, request.id, validUntil, now)) return;
  const reason = "The request was seen before, or its caller has too many that are valid still";
  throw new Refused("replayed", reason, fieldsOf(request));
}
