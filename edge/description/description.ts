/** The description of the API (OpenAPI 3.1) as an isolate keeps it: built when it is first asked for, the same until the next deploy. */
import type { Contract } from '../../shared/contract/contract.ts';
import type { Plans } from '../../shared/limits/plans.ts';
import { toDescription } from '../../shared/openapi/document.ts';
import type { Version } from '../../shared/versions/versions.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { digest64 } from '../../shared/wire/hash.ts';
import { edgeLimits } from '../limits.ts';
import { type DocsPage, toDocsPage } from './docs-page.ts';
import { ownPathsOf } from './own-paths.ts';

interface Written {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

export class Description {
  readonly #contract: Contract;
  readonly #plans: Plans;
  readonly #written = new Map<string, Written>();

  /** For people. */
  readonly docs: DocsPage;

  constructor(contract: Contract, plans: Plans) {
    this.#contract = contract;
    this.#plans = plans;
    this.docs = toDocsPage(contract.versions);
  }

  /** Throws `misconfigured` for a contract whose description outgrows its bound. */
  mustWritten(version: Version): Written {
    const known = this.#written.get(version.name);
    if (known !== undefined) return known;
    const paths = ownPathsOf(this.#contract.versions.current);
    const written = write(JSON.stringify(toDescription({ contract: this.#contract, plans: this.#plans, paths }, version)));
    this.#written.set(version.name, written);
    return written;
  }
}

function write(text: string): Written {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > edgeLimits.descriptionBytesMax) {
    const facts = { bytes: bytes.length, bytesMax: edgeLimits.descriptionBytesMax };
    throw new Fault('misconfigured', { detail: 'the description of this API is larger than an edge keeps', facts });
  }
  return { bytes, etag: `"${digest64(text)}"` };
}
