import type { Msg } from "@nats-io/nats-core";
import type { Connection } from "../connector/mod.ts";
import type { Nkey } from "../crypto/mod.ts";
import { type Clock, encodeUtf8, errorText, type Logger } from "../std/mod.ts";
import { type CalloutRequest, decodeCalloutRequest, encodeCalloutResponse } from "./callout_message.ts";
import type { Verdict } from "./login.ts";
import type { LoginJudge } from "./login_judge.ts";

const subject = "$SYS.REQ.USER.AUTH";
/** Brokers that share an account share the questions. */
const queue = "choria-auth-callout";

/** What {@link CalloutResponder} works with. */
export interface CalloutOptions {
  judge: LoginJudge;
  /** Signs the answers. */
  issuer: Nkey;
  /** Whether no other broker can ask. */
  isAlone: boolean;
  clock: Clock;
  logger: Logger;
}

/** Answers nats-server's questions about logins, any number at a time. */
export class CalloutResponder {
  readonly #options: CalloutOptions;
  #allowed = 0;
  #refused = 0;

  constructor(options: CalloutOptions) {
    this.#options = options;
  }

  /** How many logins were let in and refused. */
  get counts(): { allowed: number; refused: number } {
    return { allowed: this.#allowed, refused: this.#refused };
  }

  /** Answer what arrives on a connection, across its reconnects. */
  serve(connection: Connection): void {
    connection.subscribe(subject, (message) => this.#answer(message), queue);
  }

  async #answer(message: Msg): Promise<void> {
    const { judge, issuer, isAlone, clock, logger } = this.#options;
    const request = decodeCalloutRequest(message.data, { isFromOwnServer: isAlone });
    if (request === undefined) {
      logger.warn("A request to authenticate is not one of nats-server", { bytes: message.data.length });
      return;
    }
    const verdict = await judge.judge(request.login);
    this.#report(request, verdict);
    try {
      message.respond(encodeUtf8(encodeCalloutResponse(request, verdict, issuer, clock.now())));
    } catch (error) {
      // Without a connection the question is void as well: nats-server asks anew when the peer returns.
      logger.debug("A login could not be answered", { reason: errorText(error) });
    }
  }

  #report({ login }: CalloutRequest, verdict: Verdict): void {
    const { logger } = this.#options;
    const fields = { remote: login.host, connection: login.connection.slice(0, 100) };
    if (!verdict.isAllowed) {
      this.#refused++;
      logger.warn(`Denying connection: ${verdict.reason}`, {
        ...fields,
        stage: "check",
        user: login.user.slice(0, 100),
      });
      return;
    }
    this.#allowed++;
    const { name, permissions } = verdict;
    logger.debug("Allowing connection", { ...fields, name, account: permissions.account });
    for (const text of permissions.dropped)
      logger.warn(`A token asks for what is no subject: ${text}`, { ...fields, name });
  }
}
