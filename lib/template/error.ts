/** A template that cannot be read or filled in; the message is worded as Go words it. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
  /** What is wrong, without the place. */
  readonly reason: string;

  constructor(message: string, reason: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** Thrown by a model where a value does not fit; becomes a {@link TemplateError} that names the place. */
export class TemplateFault extends Error {
  override readonly name = "TemplateFault";
}
