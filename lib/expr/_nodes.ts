/** A place in the expression and how much of a tree stands below it. */
interface Placed {
  /** Offset of what is blamed when the node fails. */
  at: number;
  /** Nodes of the tree, this one included. */
  size: number;
  /** Nodes on the longest way down, this one included. */
  depth: number;
}

/** What an expression can say outright. */
export type Literal = null | boolean | bigint | number | string | Uint8Array;

/** What a node is made of, without its place. */
export type NodeBody =
  | { type: "literal"; value: Literal }
  | { type: "name"; name: string }
  | { type: "pointer"; name: string }
  | { type: "unary"; operator: string; operand: Node }
  | { type: "binary"; operator: string; left: Node; right: Node }
  | { type: "conditional"; test: Node; then: Node; otherwise: Node }
  | { type: "member"; object: Node; key: Node; isOptional: boolean; isField: boolean }
  | { type: "slice"; object: Node; from: Node | undefined; to: Node | undefined }
  | { type: "call"; callee: Node; arguments: Node[] }
  | { type: "predicate"; body: Node }
  | { type: "let"; name: string; value: Node; body: Node }
  | { type: "sequence"; items: Node[] }
  | { type: "list"; items: Node[] }
  | { type: "map"; entries: { key: Node; value: Node }[] };

/** A node of the tree that an expression is read as. */
export type Node = NodeBody & Placed;

/** A node of one type. */
export type NodeOf<T extends Node["type"]> = Extract<Node, { type: T }>;

/** The nodes directly below. */
export function childrenOf(body: NodeBody): readonly (Node | undefined)[] {
  switch (body.type) {
    case "unary":
      return [body.operand];
    case "binary":
      return [body.left, body.right];
    case "conditional":
      return [body.test, body.then, body.otherwise];
    case "member":
      return [body.object, body.key];
    case "slice":
      return [body.object, body.from, body.to];
    case "call":
      return [body.callee, ...body.arguments];
    case "predicate":
      return [body.body];
    case "let":
      return [body.value, body.body];
    case "sequence":
    case "list":
      return body.items;
    case "map":
      return body.entries.flatMap(({ key, value }) => [key, value]);
    default:
      return [];
  }
}
