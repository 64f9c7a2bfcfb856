/**
 * A place in a bucket of S3, or of whatever speaks as it does: `s3://bucket/prefix`. Each step ends within a time that goes by its
 * bytes, so that a server that is silent does not hold up a backup for ever.
 */
import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { isSafeUrl, SettingsReader, type Variables } from '../../shared/settings/reader.ts';
import { makePrivate } from '../store/sqlite/connection/database.ts';
import { late, within } from '../within.ts';
import { messageOf } from '../../shared/message-of.ts';

const bucketLimits = {
  /** Of a request, and of each megabyte: 128 KB/s is the least that is waited for. */
  answerMsMax: 60_000,
  megabyteMsMax: 8_000,
  /** Names of a prefix that are looked at; a listing has 1 000. */
  listingsMax: 100,
} as const;

const scheme = 's3://';

/** Amazon's rules for names of buckets; of keys, what needs no escape in an address (S3 User Guide, "Object key names"). */
const address = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:\/[A-Za-z0-9!_.*'()-]+)*)\/?$/;

/** What S3 says is wrong, or that it says nothing. Nothing secret is in its message. */
export class BucketFault extends Error {
  constructor(where: string, cause: unknown) {
    const code = cause instanceof Error && 'code' in cause ? `${String(cause.code)}: ` : '';
    super(`${where}: ${code}${messageOf(cause)}`, { cause });
    this.name = 'BucketFault';
  }
}

export function isBucketAddress(place: string): boolean {
  return place.startsWith(scheme);
}

export class Bucket {
  readonly #client: Bun.S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  /** Throws a `SettingsError` that names everything wrong. */
  constructor(place: string, given: Variables) {
    const reader = new SettingsReader(given);
    const [, bucket = '', path = ''] = address.exec(place) ?? [];
    if (bucket === '') reader.complain(place, 'is no s3://bucket/prefix');
    const environment = reader.environment(reader.optional('TOMBOLO_ENV') || 'development');
    const endpoint = reader.optional('S3_ENDPOINT');
    if (endpoint !== '' && !(URL.canParse(endpoint) && isSafeUrl(new URL(endpoint), environment))) {
      reader.complain('S3_ENDPOINT', 'must be an https URL');
    }
    const missing = 'is missing: what an s3:// place is opened with';
    this.#client = new Bun.S3Client({
      bucket,
      accessKeyId: reader.text('AWS_ACCESS_KEY_ID', missing),
      secretAccessKey: reader.text('AWS_SECRET_ACCESS_KEY', missing),
      sessionToken: reader.optional('AWS_SESSION_TOKEN'),
      region: reader.optional('AWS_REGION') || 'us-east-1',
      ...(endpoint === '' ? {} : { endpoint }),
    });
    reader.mustBeRight();
    this.#bucket = bucket;
    this.#prefix = path === '' ? '' : `${path.slice(1)}/`;
  }

  /** As one says it to `npm run restore`. */
  addressOf(name: string): string {
    return `${scheme}${this.#bucket}/${this.#prefix}${name}`;
  }

  put(name: string, path: string): Promise<void> {
    return this.#within(name, statSync(path).size, async () => {
      await this.#client.write(this.#prefix + name, Bun.file(path), { type: 'application/octet-stream', retry: 3 });
    });
  }

  /** Of what is there now, in hex. */
  sha256Of(name: string, bytes: number): Promise<string> {
    return this.#within(name, bytes, async () => {
      const hasher = new Bun.CryptoHasher('sha256');
      for await (const chunk of this.#client.file(this.#prefix + name).stream()) hasher.update(chunk);
      return hasher.digest('hex');
    });
  }

  /** Into a file for its owner's eyes alone. */
  async fetch(name: string, to: string): Promise<void> {
    const file = this.#client.file(this.#prefix + name);
    const { size } = await this.#within(name, 0, () => file.stat());
    makePrivate(to);
    const descriptor = openSync(to, 'w');
    try {
      await this.#within(name, size, async () => {
        for await (const chunk of file.stream()) writeSync(descriptor, chunk);
      });
    } finally {
      closeSync(descriptor);
    }
  }

  /** Those directly below the place. */
  async names(): Promise<readonly string[]> {
    const names: string[] = [];
    let continuationToken: string | undefined;
    for (let listing = 0; listing < bucketLimits.listingsMax; listing++) {
      const from = continuationToken === undefined ? {} : { continuationToken };
      const page = await this.#within('', 0, () => this.#client.list({ prefix: this.#prefix, delimiter: '/', ...from }));
      for (const { key } of page.contents ?? []) names.push(key.slice(this.#prefix.length));
      continuationToken = page.nextContinuationToken;
      if (!page.isTruncated || continuationToken === undefined) return names;
    }
    throw new BucketFault(this.addressOf(''), `more than ${bucketLimits.listingsMax} listings: it takes a prefix of its own`);
  }

  remove(name: string): Promise<void> {
    return this.#within(name, 0, () => this.#client.delete(this.#prefix + name));
  }

  /** Throws a `BucketFault`. What is late goes on behind it, and is cut with the process. */
  async #within<Done>(name: string, bytes: number, work: () => Promise<Done>): Promise<Done> {
    const msMax = bucketLimits.answerMsMax + (bytes / 1_048_576) * bucketLimits.megabyteMsMax;
    const done = await within(msMax, work()).catch((cause: unknown) => {
      throw new BucketFault(this.addressOf(name), cause);
    });
    if (done === late) throw new BucketFault(this.addressOf(name), `was not done in ${Math.ceil(msMax / 1_000)} s`);
    return done;
  }
}
