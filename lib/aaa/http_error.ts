/** An HTTP request that is answered with an error document. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;
  /** `code` of the document where it is not the status. */
  readonly code: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    options: { code?: number; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.status = status;
    this.code = options.code ?? status;
    this.headers = options.headers ?? {};
  }

  /** The error as it travels: `{"code":404,"message":"…"}`. */
  toResponse(): Response {
    const body = JSON.stringify({ code: this.code, message: this.message });
    return new Response(body, {
      status: this.status,
      headers: { "Content-Type": "application/json", ...this.headers },
    });
  }
}
