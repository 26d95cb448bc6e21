import type { GossSettings } from "../../../lib/scout/mod.ts";

/** Settings of a node that has no goss. */
export const withoutGoss: GossSettings = { overridesFile: "", deniedLocal: [], deniedRemote: [] };
