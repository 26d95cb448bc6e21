/**
 * The documents of protocol v2, from the transport message inwards, as plain values with one encoder and one
 * checking decoder each. Signatures are over bytes as they travelled: nothing here serialises a second time what
 * was signed.
 *
 * @module
 */
export { ProtocolError } from "./error.ts";
export {
  decodeFilter,
  emptyFilter,
  type FactFilter,
  type FactOperator,
  type Filter,
  isEmptyFilter,
  parseFactFilter,
} from "./filter.ts";
export { decodeReply, encodeReply, type Reply } from "./reply.ts";
export { decodeRequest, encodeRequest, isTimely, newRequest, type Request, type RequestOptions } from "./request.ts";
export {
  decodeRpcReply,
  decodeRpcRequest,
  encodeRpcReply,
  encodeRpcRequest,
  isStatusCode,
  type RpcReply,
  type RpcRequest,
  type StatusCode,
  statusCodes,
} from "./rpc.ts";
export { decodeSecureReply, encodeSecureReply, type SecureReply } from "./secure_reply.ts";
export { decodeSecureRequest, encodeSecureRequest, insecureSignature, type SecureRequest } from "./secure_request.ts";
export { subjects } from "./subjects.ts";
export { decodeTransport, encodeTransport, type Federation, type Hop, type Transport, withHop } from "./transport.ts";
