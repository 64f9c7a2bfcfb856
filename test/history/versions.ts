/** Each document as the sequence of its versions: 0 is its absence before anything, then one a commit. */
import type { Position } from '../../shared/contract/position.ts';
import { type Commit, type History, type Image, type Seen, tagOf } from './history.ts';

export class Versions {
  readonly id: string;
  readonly group: string;
  /** `#images[0]`: not there yet. A removal is `undefined` too. */
  readonly #images: (Image | undefined)[] = [undefined];
  readonly #commits: readonly Commit[];
  /** By version: when its write was first asked for. */
  readonly #askedAt: readonly number[];
  /** Acknowledged versions by the time of the answer, each with the latest version acknowledged until then. */
  readonly #acked: readonly { readonly at: number; readonly version: number }[];

  constructor(commits: readonly [Commit, ...Commit[]], times: Times) {
    this.id = commits[0].id;
    this.group = commits[0].group;
    this.#commits = commits;
    for (const { after } of commits) this.#images.push(after);
    const tags = commits.map(tagOf);
    this.#askedAt = [Number.NEGATIVE_INFINITY, ...tags.map((tag) => times.askedAt.get(tag) ?? Number.POSITIVE_INFINITY)];
    let latest = 0;
    this.#acked = tags
      .flatMap((tag, index) => (times.ackedAt.has(tag) ? [{ at: times.ackedAt.get(tag) ?? 0, version: index + 1 }] : []))
      .sort((a, b) => a.at - b.at)
      .map(({ at, version }) => ({ at, version: (latest = Math.max(latest, version)) }));
  }

  image(version: number): Image | undefined {
    return this.#images[version];
  }

  askedAt(version: number): number {
    return this.#askedAt[version] ?? Number.POSITIVE_INFINITY;
  }

  /** `undefined`: there never was such a version. */
  versionOf({ rev, tag }: Seen): number | undefined {
    const version = this.#images.findIndex((image) => image !== undefined && image.rev === rev && image.tag === tag);
    return version < 0 ? undefined : version;
  }

  /** The latest version in which `subject` sees nothing and which may have been there at `moment`. */
  latestUnseen(subject: string | undefined, moment: number): number {
    return this.#images.findLastIndex((image, version) => !isVisible(image, subject) && this.askedAt(version) <= moment);
  }

  /** The latest version acknowledged before `moment`: whoever reads later than the bound must see it. */
  latestAcked(moment: number): number {
    return this.#acked.findLast(({ at }) => at < moment)?.version ?? 0;
  }

  /** How long before `moment` a later version than this had been acknowledged; 0 when none had. */
  staleMs(version: number, moment: number): number {
    const first = this.#acked.find((acked) => acked.version > version);
    return first === undefined ? 0 : Math.max(0, moment - first.at);
  }

  latestAt({ epoch, order }: Position): number {
    return this.#commits.findLastIndex(({ position }) => position.epoch === epoch && position.order <= order) + 1;
  }
}

interface Times {
  readonly askedAt: ReadonlyMap<string, number>;
  readonly ackedAt: ReadonlyMap<string, number>;
}

export function isVisible(image: Image | undefined, subject: string | undefined): boolean {
  return image !== undefined && (image.visibleTo === undefined || image.visibleTo === subject);
}

export function versionsOf({ commits, writes }: History): readonly Versions[] {
  const askedAt = new Map<string, number>();
  const ackedAt = new Map<string, number>();
  for (const write of writes) {
    askedAt.set(write.tag, Math.min(askedAt.get(write.tag) ?? Number.POSITIVE_INFINITY, write.askedAt));
    if (write.outcome === 'acked') ackedAt.set(write.tag, Math.min(ackedAt.get(write.tag) ?? Number.POSITIVE_INFINITY, write.answeredAt));
  }
  return [...Map.groupBy(commits, ({ id }) => id).values()].map((of) => new Versions(of as [Commit, ...Commit[]], { askedAt, ackedAt }));
}
