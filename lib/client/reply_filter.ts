import { compileExpr, type Expr, type ExprEnv, ExprMoment, type ExprSignature, lookup } from "../expr/mod.ts";
import { itemFunctions, itemSignatures } from "../filter/mod.ts";
import { statusCodes } from "../protocol/mod.ts";
import { type Clock, systemClock } from "../std/mod.ts";
import type { FleetReply } from "./reply.ts";

const yes: ExprSignature = { parameters: [], returns: "bool" };
const functions: Readonly<Record<string, ExprSignature>> = {
  ...itemSignatures,
  ok: yes,
  aborted: yes,
  invalid_data: yes,
  missing_data: yes,
  unknown_action: yes,
  unknown_error: yes,
  data: { parameters: ["string"] },
  sender: { parameters: [], returns: "string" },
  time: { parameters: [], returns: "time" },
};

/**
 * Chooses among replies by an expression: `ok() && data("value") > 5`, `include(data("tags"), "web")`,
 * `semver(data("version"), ">= 1.2")`, `sender() startsWith "web"`, `aborted() or code == 5`, `msg contains "full"`.
 */
export class ReplyFilter {
  readonly #expression: Expr;
  readonly #clock: Pick<Clock, "now">;

  /**
   * @param source The expression; it has to be boolean.
   * @throws {ExprError} when it cannot be read or is of another kind.
   */
  constructor(source: string, clock: Pick<Clock, "now"> = systemClock) {
    const variables = { msg: "string", code: "int" } as const;
    this.#expression = compileExpr(source, { functions, variables, allowUndefined: true, boolean: true });
    this.#clock = clock;
  }

  /**
   * Whether the expression holds for a reply.
   * @throws {ExprError} when it has no answer: it compares what cannot be compared, or asks for too much.
   */
  matches(reply: FleetReply): boolean {
    return this.#expression.test(environment(reply), { now: () => this.#clock.now() });
  }
}

function environment({ sender, statuscode, statusmsg, data, time }: FleetReply): ExprEnv {
  const is = (code: number) => () => statuscode === code;
  return {
    ...itemFunctions,
    msg: statusmsg,
    code: BigInt(statuscode),
    ok: is(statusCodes.ok),
    aborted: is(statusCodes.aborted),
    invalid_data: is(statusCodes.invalidData),
    missing_data: is(statusCodes.missingData),
    unknown_action: is(statusCodes.unknownAction),
    unknown_error: is(statusCodes.unknownError),
    data: (path: string) => lookup(data, path),
    sender: () => sender,
    time: () => new ExprMoment(Temporal.Instant.fromEpochNanoseconds(time).toZonedDateTimeISO("UTC")),
  };
}
