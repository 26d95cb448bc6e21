import { expect, test } from "bun:test";
import { TroubleLog } from "../../lib/std/mod.ts";
import { FakeClock } from "../support/clock.ts";
import { RecordingLogger } from "../support/log.ts";

test("trouble is told at once, and then from time to time with how often it was, also where the clock is set back", async () => {
  const [clock, logger] = [new FakeClock(), new RecordingLogger()];
  const troubles = new TroubleLog(logger, clock);
  for (let count = 0; count < 5; count++) troubles.warn("gap", "A gap");
  troubles.warn("full", "All full");
  await clock.advance(10_000);
  troubles.warn("gap", "A gap");
  clock.setBack(3_600_000);
  troubles.warn("gap", "A gap");
  expect(logger.lines.map(({ message, fields }) => [message, fields.more])).toEqual([
    ["A gap", undefined],
    ["All full", undefined],
    ["A gap", 4],
    ["A gap", undefined],
  ]);
});
