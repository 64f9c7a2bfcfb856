/**
 * What the edge needs of the platform that it runs on. `cloudflare.ts` is the only file that knows Cloudflare, beside the
 * three Durable Objects; the pipeline, its stages and what they use speak to these ports.
 */
import type { Entry } from '../cache/entry.ts';
import type { Changes, Heard, ReportOutcome, SignedReport } from '../coordinator/changes.ts';
import type { Fetched } from '../identity/key-set.ts';
import type { Bearer, Opening } from '../identity/ticket.ts';
import type { Origin, OriginClientOptions } from '../origin-client/origin-client.ts';
import type { DataPoint } from '../metrics/data-points.ts';
import type { SentHeaders } from '../request/request-headers.ts';
import type { Spent } from '../rate-limit/days.ts';
import type { AskCounter } from '../rate-limit/limiter.ts';

export interface Host {
  /** Settings and secrets, as texts. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** `wasm/mac`, compiled. */
  readonly macModule: WebAssembly.Module;
  /** The way to the origin. */
  toOrigin(options: OriginClientOptions): Origin;
  /** The address of whoever sent the request, as the platform knows it; absent where it does not. */
  addressOf(raw: Request, sent: SentHeaders): string | undefined;
  readonly coordinator: {
    report(signed: SignedReport): Promise<ReportOutcome>;
    changesSince(resource: string, heard: Heard | undefined): Promise<Changes>;
  };
  /** One counter a caller, asked by name. */
  readonly askCounter: AskCounter;
  /** What that counter keeps of the caller's days. */
  spentBy(caller: string): Promise<readonly Spent[]>;
  /** One ticket a stream. */
  readonly tickets: {
    keep(stream: string, bearer: Bearer, ms: number): Promise<void>;
    redeem(stream: string, opening: Opening): Promise<Bearer | undefined>;
  };
  /** A file that was uploaded with the Worker, under the client's `If-None-Match`. */
  asset(path: string, ifNoneMatch: string | undefined): Promise<Response>;
  /** Whether a sender is within the flood shield's bound; at once where the shield is in this process. */
  isWithin(sender: string): boolean | Promise<boolean>;
  /** Where the platform keeps what is counted (Analytics Engine); absent: nowhere. */
  readonly writeDataPoint?: ((point: DataPoint) => void) | undefined;
  /** Key sets of issuers, so that a new isolate need not ask them. */
  readonly keys: {
    load(url: string): Promise<Fetched | undefined>;
    keep(url: string, fetched: Fetched): Promise<void>;
  };
  /** Stored answers behind the isolate's memory: what is lost there is a miss. */
  readonly store: {
    load(key: string): Promise<Entry | undefined>;
    keep(key: string, entry: Entry): Promise<void>;
  };
}
