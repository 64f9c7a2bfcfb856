/** Each document as the sequence of its versions: 0 is its absence before anything, then one a commit. */
import type { Position } from '../../../shared/wire/position.ts';
import { type Commit, type History, type Image, type Seen, tagOf, type Write } from './history.ts';

export class Versions {
  readonly id: string;
  readonly group: string;
  /** `#images[0]`: not there yet. A removal is `undefined` too. */
  readonly #images: (Image | undefined)[] = [undefined];
  readonly #commits: readonly Commit[];
  /** When each version's write was first asked for. */
  readonly #askedAt: readonly number[];
  /** Acknowledged versions by the time of the answer. */
  readonly #acks: readonly Ack[];
  readonly #acked: readonly Acked[];
  readonly #ackedThrough = new Map<string, readonly Acked[]>();

  constructor(commits: readonly [Commit, ...Commit[]], times: Times) {
    this.id = commits[0].id;
    this.group = commits[0].group;
    this.#commits = commits;
    for (const { after } of commits) this.#images.push(after);
    const tags = commits.map(tagOf);
    this.#askedAt = [Number.NEGATIVE_INFINITY, ...tags.map((tag) => times.askedAt.get(tag) ?? Number.POSITIVE_INFINITY)];
    this.#acks = tags
      .flatMap((tag, index) =>
        (times.acks.get(tag) ?? []).map(({ answeredAt, through }) => ({ at: answeredAt, version: index + 1, through })),
      )
      .sort((a, b) => a.at - b.at);
    this.#acked = toAcked(this.#acks);
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

  /** The latest version acknowledged before `moment`, by one process alone or by any: whoever reads later must see it. */
  latestAcked(moment: number, through?: string): number {
    const acked = through === undefined ? this.#acked : this.#throughOf(through);
    return acked.findLast(({ at }) => at < moment)?.version ?? 0;
  }

  #throughOf(through: string): readonly Acked[] {
    const known = this.#ackedThrough.get(through) ?? toAcked(this.#acks.filter((ack) => ack.through === through));
    this.#ackedThrough.set(through, known);
    return known;
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

interface Ack {
  readonly at: number;
  readonly version: number;
  readonly through: string | undefined;
}

/** A moment, with the latest version acknowledged until then. */
type Acked = Pick<Ack, 'at' | 'version'>;

function toAcked(acks: readonly Ack[]): readonly Acked[] {
  let latest = 0;
  return acks.map(({ at, version }) => ({ at, version: (latest = Math.max(latest, version)) }));
}

/** The times of writes, by tag. */
interface Times {
  readonly askedAt: ReadonlyMap<string, number>;
  readonly acks: ReadonlyMap<string, readonly Write[]>;
}

export function isVisible(image: Image | undefined, subject: string | undefined): boolean {
  return image !== undefined && (image.visibleTo === undefined || image.visibleTo === subject);
}

export function versionsOf({ commits, writes }: History): readonly Versions[] {
  const askedAt = new Map<string, number>();
  for (const write of writes) askedAt.set(write.tag, Math.min(askedAt.get(write.tag) ?? Number.POSITIVE_INFINITY, write.askedAt));
  const acks = Map.groupBy(writes.filter(({ outcome }) => outcome === 'acked'), ({ tag }) => tag);
  return [...Map.groupBy(commits, ({ id }) => id).values()].map((of) => new Versions(of as [Commit, ...Commit[]], { askedAt, acks }));
}
