/**
 * The description of the API (OpenAPI 3.1) as an isolate keeps it: a file beside the Worker for each version, which the
 * build writes, read when it is first asked for.
 */
import type { Version, Versions } from '../../shared/versions/versions.ts';
import { descriptionFile } from '../../shared/wire/edge-paths.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { digest64 } from '../../shared/wire/hash.ts';
import type { Host } from '../host/host.ts';
import { edgeLimits } from '../limits.ts';
import { type DocsPage, toDocsPage } from './docs-page.ts';

interface Written {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

export class Description {
  readonly #host: Pick<Host, 'asset'>;
  readonly #hasPeople: boolean;
  readonly #written = new Map<string, Written>();

  /** For people. */
  readonly docs: DocsPage;

  constructor(host: Pick<Host, 'asset'>, versions: Versions, hasPeople: boolean) {
    this.#host = host;
    this.#hasPeople = hasPeople;
    this.docs = toDocsPage(versions);
  }

  /** Throws `misconfigured` where there is no such file, or one that is larger than an isolate keeps. */
  async mustWritten({ name }: Version): Promise<Written> {
    const known = this.#written.get(name);
    if (known !== undefined) return known;
    const path = descriptionFile(name, this.#hasPeople);
    const file = await this.#host.asset(path, undefined);
    const text = await file.text();
    if (file.status !== 200) throw new Fault('misconfigured', { facts: { asset: path, status: file.status } });
    const bytes = new TextEncoder().encode(text);
    if (bytes.length > edgeLimits.descriptionBytesMax) {
      const facts = { bytes: bytes.length, bytesMax: edgeLimits.descriptionBytesMax };
      throw new Fault('misconfigured', { detail: 'the description of this API is larger than an edge keeps', facts });
    }
    const written = { bytes, etag: `"${digest64(text)}"` };
    this.#written.set(name, written);
    return written;
  }
}
