import type { GossSettings } from "../../../lib/scout/mod.ts";
import recorded from "../../fixtures/scout/scout_rpc.json" with { type: "json" };

/** Settings of a node that has no goss. */
export const withoutGoss: GossSettings = { overridesFile: "", deniedLocal: [], deniedRemote: [] };

/** Settings of a node whose goss finds what was recorded, and cannot read files. */
export const recordedGoss: GossSettings = {
  ...withoutGoss,
  async validate({ rules }) {
    if ("file" in rules) throw new Error("it cannot be read");
    return recorded.goss_validate.data;
  },
};
