/** What an argument names that only the network knows. */
export type NetworkNames = "streams" | "buckets" | "governors";

/** What an argument of a command names; undefined where it is nothing of the network. */
export function networkNames(path: readonly string[], argument: string | undefined): NetworkNames | undefined {
  const [room, part, command] = path;
  if (room === "broker" && part === "stream" && command === "copy")
    return argument === "source" ? "streams" : undefined;
  if (room === "broker" && argument === "stream" && command !== "add") return "streams";
  if (room === "broker" && part === "consumer" && argument === "stream") return "streams";
  if (room === "kv" && argument === "bucket" && part !== "add") return "buckets";
  if (room === "governor" && argument === "name") return "governors";
  return undefined;
}
