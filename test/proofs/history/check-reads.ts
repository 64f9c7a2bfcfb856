/** What is read is a version that was committed, not older than the bound nor than a demanded position. */
import type { History, Read, Violation } from './history.ts';
import { isVisible, type Versions, versionsOf } from './versions.ts';

export function checkReads(history: History): readonly Violation[] {
  const versions = versionsOf(history);
  const byId = new Map(versions.map((of) => [of.id, of]));
  const byGroup = Map.groupBy(versions, ({ group }) => group);
  return history.reads.flatMap((read) => {
    const about = 'id' in read.about ? [byId.get(read.about.id)].filter((of) => of !== undefined) : (byGroup.get(read.about.group) ?? []);
    const strangers = read.seen.filter(({ id }) => !about.some((of) => of.id === id));
    return [
      ...strangers.map(({ id, tag }): Violation => ({
        law: 'read_of_nothing',
        detail: `${id} (${tag}) is in ${describe(read)}, and was never committed there`,
      })),
      ...about.flatMap((of) => checkOne(read, of, history)),
    ];
  });
}

function checkOne(read: Read, of: Versions, history: History): readonly Violation[] {
  const seen = read.seen.find(({ id }) => id === of.id);
  const version = seen === undefined ? of.latestUnseen(read.subject, read.answeredAt) : of.versionOf(seen);
  const where = `${describe(read)}: ${of.id} as ${seen === undefined ? 'absent' : `rev ${seen.rev} (${seen.tag})`}`;
  if (version === undefined) return [{ law: 'read_of_nothing', detail: `${where}, which was never committed` }];
  const found: Violation[] = [];
  const shown = shownUntil(history, read.askedAt);
  const acked = of.latestAcked(shown);
  const ownAcked = read.through === undefined ? 0 : of.latestAcked(read.askedAt, read.through);
  const demanded = read.demanded === undefined ? 0 : of.latestAt(read.demanded);
  if (seen?.whole === false) found.push({ law: 'torn_write', detail: `${where}, of which only half is there` });
  if (seen !== undefined && !isVisible(of.image(version), read.subject)) {
    found.push({ law: 'read_of_another', detail: `${where}, which ${read.subject ?? 'nobody'} may not see` });
  }
  if (of.askedAt(version) > read.answeredAt) found.push({ law: 'read_from_the_future', detail: `${where}, which was not yet asked for` });
  if (version < acked && read.marked !== true) {
    found.push({ law: 'stale_read', detail: `${where}; rev ${of.image(acked)?.rev} was acknowledged before ${shown.toFixed(0)}` });
  }
  if (version < ownAcked) {
    found.push({ law: 'stale_read', detail: `${where}; rev ${of.image(ownAcked)?.rev} had been acknowledged by ${read.through} itself` });
  }
  if (version < demanded) {
    found.push({ law: 'read_before_position', detail: `${where}; rev ${of.image(demanded)?.rev} is before the position demanded` });
  }
  return found;
}

/** The moment before which everything acknowledged must show. */
function shownUntil({ staleMsMax, disturbances = [] }: History, askedAt: number): number {
  const inside = disturbances.find(({ from, to }) => from <= askedAt && askedAt < to);
  return Math.min(askedAt, inside?.from ?? Number.POSITIVE_INFINITY) - staleMsMax;
}

function describe({ about, subject, askedAt }: Read): string {
  return `at ${askedAt.toFixed(0)} ${subject ?? 'anyone'} reads ${'id' in about ? about.id : about.group}`;
}

/** How long before each read of a document a later version had been acknowledged; 0 when none had. */
export function stalenessOf(history: History): readonly number[] {
  const byId = new Map(versionsOf(history).map((of) => [of.id, of]));
  return history.reads.filter(({ marked }) => marked !== true).flatMap((read) => read.seen.flatMap((seen) => {
    const of = byId.get(seen.id);
    const version = of?.versionOf(seen);
    if (of === undefined || version === undefined) return [];
    return [of.staleMs(version, read.askedAt)];
  }));
}
