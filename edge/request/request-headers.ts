/**
 * The fields of a request, read out of the platform once: a dozen stages ask for one each, and each question
 * crosses from JavaScript into the runtime and back (0.4 µs).
 */
export class SentHeaders {
  readonly #fields = new Map<string, string>();
  /** The rough size of all fields on the wire: names, values, `: ` and line ends. */
  readonly bytes: number;

  constructor(headers: Headers) {
    let bytes = 0;
    headers.forEach((value, name) => {
      bytes += name.length + value.length + 4;
      this.#fields.set(name, value);
    });
    this.bytes = bytes;
    // Where both stand, the body is framed by this one, and the length says nothing of it (RFC 9112 §6.3).
    if (this.#fields.has('transfer-encoding')) this.#fields.delete('content-length');
  }

  /** `name` in lower case. */
  get(name: string): string | null {
    return this.#fields.get(name) ?? null;
  }

  has(name: string): boolean {
    return this.#fields.has(name);
  }
}
