/** A document from the network that does not have the form it must have. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}
