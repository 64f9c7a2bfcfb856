/**
 * Every change that a subscriber may see reaches it, in commit order, before anything newer, or it is told to
 * read again. `reached` is the position up to which nothing is owed to it any more; what comes from before
 * that must have come before, under the same id.
 */
import { type Commit, type Heard, type History, type Subscriber, tagOf, type Violation } from './history.ts';
import { isVisible } from './versions.ts';

export function checkEvents(history: History): readonly Violation[] {
  const live = history.commits.filter(({ live }) => live);
  const acked = new Set(history.writes.filter(({ outcome }) => outcome === 'acked').map(({ tag }) => tag));
  return history.subscribers.flatMap((subscriber) => new Listening(subscriber, live, acked).run());
}

class Listening {
  readonly #subscriber: Subscriber;
  readonly #owed: readonly Commit[];
  readonly #all: ReadonlyMap<string, Commit>;
  readonly #acked: ReadonlySet<string>;
  readonly #violations: Violation[] = [];
  /** The positions of what was heard. */
  readonly #heard = new Set<string>();
  /** The commits that were passed over, to be heard late or never. */
  readonly #skipped = new Map<string, Commit>();
  #reached: string | undefined;
  /** The position of this connection: below what was reached after a client came back with an older id. */
  #at = '';
  /** The index in `#owed` of the first that was not passed yet. */
  #next = 0;

  constructor(subscriber: Subscriber, commits: readonly Commit[], acked: ReadonlySet<string>) {
    this.#subscriber = subscriber;
    this.#all = new Map(commits.map((commit) => [commit.position.order, commit]));
    this.#owed = commits.filter((commit) => eventOf(commit, subscriber.subject) !== undefined);
    this.#acked = acked;
  }

  run(): readonly Violation[] {
    for (const heard of this.#subscriber.heard) this.#take(heard);
    for (const commit of this.#skipped.values()) this.#complain('missed_event', `never hears ${describe(commit)}, and hears what is newer`);
    const last = this.#owed.findLast((commit) => this.#acked.has(tagOf(commit)));
    if (last !== undefined && (this.#reached ?? '') < last.position.order) {
      this.#complain('left_behind', `has reached ${this.#reached}; acknowledged is ${describe(last)} at ${last.position.order}`);
    }
    return this.#violations;
  }

  #take(heard: Heard): void {
    const { order } = heard.position;
    // A subscriber without a last id begins where its first words say.
    const from = this.#reached ?? order;
    // `resync` forgives what was not passed over yet, and nothing else: it comes before anything newer.
    if (heard.name !== 'resync') this.#passOver(from, order, heard.name === 'heartbeat' || heard.name === 'reconnect');
    if (heard.name !== 'resync' && heard.name !== 'heartbeat' && heard.name !== 'reconnect') this.#takeEvent(heard);
    this.#reached = order > from ? order : from;
    this.#at = heard.isFirst === true || order > this.#at ? order : this.#at;
  }

  /** Everything owed between what was reached and this. A heartbeat says that its own position is passed too. */
  #passOver(from: string, to: string, included: boolean): void {
    for (let commit = this.#owed[this.#next]; commit !== undefined; commit = this.#owed[++this.#next]) {
      const { order } = commit.position;
      if (!(order < to || (included && order === to))) return;
      if (order > from && !this.#heard.has(order)) this.#skipped.set(order, commit);
    }
  }

  #takeEvent(heard: Heard): void {
    const { order } = heard.position;
    const commit = this.#all.get(order);
    const text = `${heard.name} of ${heard.id} rev ${heard.rev} at ${order}`;
    if (commit === undefined) {
      const twin = [...this.#all.values()].find(({ id, after }) => id === heard.id && after?.rev === heard.rev && after?.tag === heard.tag);
      return this.#complain(
        twin === undefined ? 'event_of_nothing' : 'doubled_event',
        `hears ${text}${twin === undefined ? '' : `, which is known as ${twin.position.order}`}`,
      );
    }
    const expected = eventOf(commit, this.#subscriber.subject);
    if (expected === undefined) return this.#complain('event_of_another', `hears ${text}, which is not for it`);
    const same = expected.name === heard.name && expected.id === heard.id && expected.rev === heard.rev && expected.tag === heard.tag;
    if (!same && !this.#isWithheld(heard, commit)) {
      this.#complain('wrong_event', `hears ${text}; it was ${expected.name} of ${expected.id} rev ${expected.rev}`);
    }
    // What `resync` forgave may come all the same, to a client that comes back with an id from before it.
    const isLate = this.#skipped.has(order) || (order < this.#at && !this.#heard.has(order));
    if (isLate) this.#complain('event_out_of_order', `hears ${text} after ${this.#reached}`);
    this.#skipped.delete(order);
    this.#heard.add(order);
  }

  /** A replay gives the id alone, as `left`, of what a later commit has hidden from this subscriber. */
  #isWithheld(heard: Heard, { id, after, position }: Commit): boolean {
    const { subject } = this.#subscriber;
    if (heard.name !== 'left' || heard.id !== id || heard.rev !== undefined || !isVisible(after, subject)) return false;
    return [...this.#all.values()].some(
      (later) => later.id === id && later.position.order > position.order && !isVisible(later.after, subject),
    );
  }

  #complain(law: Violation['law'], detail: string): void {
    this.#violations.push({ law, detail: `${this.#subscriber.name} ${detail}` });
  }
}

/** What a subject hears of a change, by the words of the wire. */
function eventOf(commit: Commit, subject: string | undefined): Omit<Heard, 'position'> | undefined {
  const before = isVisible(commit.before, subject) ? commit.before : undefined;
  const after = isVisible(commit.after, subject) ? commit.after : undefined;
  if (after !== undefined) {
    return {
      name: commit.before === undefined ? 'created' : before === undefined ? 'entered' : 'updated',
      id: commit.id,
      rev: after.rev,
      tag: after.tag,
    };
  }
  if (before !== undefined) return { name: commit.after === undefined ? 'deleted' : 'left', id: commit.id };
  return undefined;
}

function describe({ id, after }: Commit): string {
  return after === undefined ? `the removal of ${id}` : `${id} rev ${after.rev} (${after.tag})`;
}
