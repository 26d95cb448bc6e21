import { dataDdls } from "./builtin/data.ts";
import type { DdlInput, DdlOutput } from "./ddl.ts";

/** The description of a data provider: what it is asked, where it is asked anything, and what it tells. */
export interface DataDdl {
  name: string;
  description: string;
  query?: DdlInput;
  output: Readonly<Record<string, DdlOutput>>;
}

/** Data providers of servers, sorted by name. */
export function builtinDataDdls(): readonly DataDdl[] {
  return dataDdls;
}
