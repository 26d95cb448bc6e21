/** A piece of a template. */
export type Piece = TextPiece | ActionPiece | BlockPiece;

export interface TextPiece {
  readonly kind: "text";
  readonly text: string;
}

/** `{{ pipeline }}` */
export interface ActionPiece {
  readonly kind: "action";
  readonly pipeline: Pipeline;
}

/** `{{ if … }}…{{ else if … }}…{{ else }}…{{ end }}`, and range and with. */
export interface BlockPiece {
  readonly kind: "block";
  readonly word: "if" | "range" | "with";
  readonly arms: readonly { readonly pipeline: Pipeline; readonly body: readonly Piece[] }[];
  readonly rest: readonly Piece[];
}

/** Commands of which each gets the value of the one before as its last argument. */
export interface Pipeline {
  /** Variables that take the value: one, or in a range index and item. */
  readonly variables: readonly string[];
  readonly commands: readonly Command[];
}

/** A function with its arguments, or a value alone. */
export interface Command extends Span {
  readonly words: readonly Word[];
}

/** Where something stands in the template's text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** An operand. */
export type Word = Span &
  (
    | { readonly kind: "literal"; readonly value: string | boolean | null | number | bigint }
    /** `.a.b`, of the value at hand; the path is empty for the dot alone. */
    | { readonly kind: "field"; readonly path: readonly string[] }
    | { readonly kind: "variable"; readonly name: string; readonly path: readonly string[] }
    | { readonly kind: "function"; readonly name: string }
    | { readonly kind: "pipeline"; readonly pipeline: Pipeline; readonly path: readonly string[] }
  );
