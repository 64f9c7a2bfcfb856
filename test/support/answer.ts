/** An answer of the edge, read to its end, with the words that journeys ask about. */

export interface FilmDocument {
  readonly id: string;
  readonly title: string;
  readonly rev: number;
  readonly year: number;
}

export interface Page {
  readonly data: readonly FilmDocument[];
  readonly page: { readonly limit: number; readonly next: string | null; readonly prev: string | null; readonly total?: number };
}

export class Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;

  constructor(response: Response, text: string) {
    this.status = response.status;
    this.headers = response.headers;
    this.text = text;
  }

  /** Whether the cache answered by itself (RFC 9211). */
  get isHit(): boolean {
    return /;\s*hit\b/.test(this.cacheStatus);
  }

  get cacheStatus(): string {
    return this.headers.get('cache-status') ?? '';
  }

  get etag(): string {
    return this.headers.get('etag') ?? '';
  }

  get position(): string {
    return this.headers.get('tombolo-position') ?? '';
  }

  get code(): string {
    return (JSON.parse(this.text) as { code?: string }).code ?? '';
  }

  /** The body as the type that the test expects; another shows as a failed expectation. */
  json<T>(): T {
    return JSON.parse(this.text) as T;
  }

  get film(): FilmDocument {
    return this.json<FilmDocument>();
  }

  get page(): Page {
    return this.json<Page>();
  }
}
