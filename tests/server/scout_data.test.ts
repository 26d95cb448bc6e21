import { describe, expect, test } from "bun:test";
import { scoutData } from "../../lib/server/scout_data.ts";
import { TestMachines } from "../scout/support/machines.ts";

const now = 1_795_322_158_000;

describe("the data plugin scout", () => {
  test("tells of a check by its name, with the states that it has been in", () => {
    expect(scoutData(new TestMachines(), "check_2", now)).toMatchObject({
      name: "check_2",
      version: "1.0.0",
      state: "CRITICAL",
      uptime: 100,
      start_time: 1_795_322_058,
      history: ["CRITICAL", "CRITICAL"],
    });
  });

  test("is empty for what is no check, and where no machines run", () => {
    for (const name of ["plugins_manager", "nope", ""]) expect(scoutData(new TestMachines(), name, now)).toEqual({});
    expect(scoutData(undefined, "check_2", now)).toEqual({});
  });
});
