/**
 * Every step that the declaration asks of a database, with what it does to others, what it costs and how it is undone; does
 * them when asked, one at a time. Each step is looked for first and may be done twice, so whoever is cut short begins again,
 * and two people at once do no harm (SEMANTICS §15).
 */
import type { Db, Document, IndexDescriptionInfo } from 'mongodb';
import { StoreNotReady } from '../../not-ready.ts';
import type { PlannedStep } from '../../planned.ts';
import { codeOf, codes, isPassing } from '../connection/errors.ts';
import { ensureEpoch } from '../feed/epoch.ts';
import { addedAt, addedName, forgetAdded, isListed, noteAdded } from './added-indexes.ts';
import { bytesOf, toBuildTime } from './build-time.ts';
import { keyText } from './index-match.ts';
import { explain, mustBeServable, run, type Target } from './install.ts';
import { consented, noteOwnership, type Ownership, ownershipOf } from './ownership.ts';
import { isOwnStep, type Step, type StepKind, toSteps } from './steps.ts';
import { type Survey, survey } from './survey.ts';
import { collectionsId, collectionsOf, systemNames } from './system-records.ts';

/** Whether nothing is left to do; steps that somebody did by hand leave no list of what is whose. */
export async function isInstalled({ database, resources }: Target): Promise<boolean> {
  return ownershipOf(await survey(database, resources), resources).isInstalled;
}

export async function planOf(target: Target): Promise<readonly (PlannedStep & Step)[]> {
  const there = await survey(target.database, target.resources);
  await mustBeServable(target, there);
  const now = ownershipOf(there, target.resources);
  const steps = toSteps(there, { ...target, ownership: consented(there, now) });
  return Promise.all(steps.map((step) => toPlanned(target.database, there, step, now)));
}

/** `onStep` is told before each begins. What the server refuses is told at the end, with what mends it; the rest is done. */
export async function applyPlan(target: Target, epoch: string, onStep: (step: Step) => void): Promise<void> {
  const { database, resources, deployment } = target;
  const there = await survey(database, resources);
  await mustBeServable(target, there);
  const now = ownershipOf(there, resources);
  const ownership = consented(there, now);
  const steps = toSteps(there, { ...target, ownership });
  if (steps.length === 0 && now.isInstalled) return;
  await noteOwnership(database, there, ownership);
  const problems: string[] = [];
  for (const step of steps) {
    onStep(step);
    const isNoted = makesWhatIsListed(step) && (await noteAdded(database, step));
    try {
      await run(database, step);
      if (step.kind === 'unwanted index') await forgetAdded(database, step);
    } catch (error) {
      if (isPassing(error)) throw error;
      if (isNoted) await forgetAdded(database, step);
      problems.push(explain(step, error, deployment));
    }
  }
  // The last: origins that wait for it begin to write.
  if (deployment !== 'standalone') await ensureEpoch(database, epoch);
  if (problems.length > 0) throw new StoreNotReady(database.databaseName, problems);
}

/** The list names indexes wherever they are, and the images of collections of others. */
function makesWhatIsListed({ kind }: Step): boolean {
  return kind === 'index' || kind === 'odd documents' || kind === 'unique' || kind === 'images';
}

/** The collection that something was added to; where nothing was, that of the resource of this name. */
export async function collectionNamed({ database, resources }: Target, given: string): Promise<string> {
  if ((await removalOf(database, given)) !== undefined) return given;
  return resources.find(({ name }) => name === given)?.collection ?? given;
}

/** What undoes that which was added to a collection of others; `undefined`: nothing was. */
export async function removalOf(database: Db, name: string): Promise<readonly Document[] | undefined> {
  const list = await collectionsOf(database).findOne({ _id: collectionsId });
  const added = list?.added?.[addedName(name)];
  // What others took away and Tombolo made anew is its own.
  if (added === undefined || list?.owned?.includes(name) === true) return undefined;
  if ((await database.listCollections({ name }).next()) === null) return [];
  const there: readonly IndexDescriptionInfo[] = await database.collection(name).listIndexes().toArray();
  return [
    ...there.filter((index) => isListed(added.indexes ?? [], index)).map((index) => ({ dropIndexes: name, index: index.name })),
    ...(added.images === true ? [{ collMod: name, changeStreamPreAndPostImages: { enabled: false } }] : []),
  ];
}

export async function remove(database: Db, name: string, commands: readonly Document[]): Promise<void> {
  for (const command of commands) {
    try {
      await database.command(command);
    } catch (error) {
      // Others have taken it out meanwhile.
      if (codeOf(error) !== codes.indexNotFound && codeOf(error) !== codes.namespaceNotFound) throw error;
    }
  }
  await collectionsOf(database).updateOne({ _id: collectionsId }, { $unset: { [addedAt(name)]: '' } });
}

async function toPlanned(database: Db, { found, indexes }: Survey, step: Step, now: Ownership): Promise<PlannedStep & Step> {
  const { kind, collection, command } = step;
  const documents = found.has(collection) ? await database.collection(collection).estimatedDocumentCount() : 0;
  const [index] = (command['indexes'] ?? []) as readonly { readonly key: Document }[];
  const { why, effect } = systemNames.includes(collection) ? ofOurOwn : words[kind];
  const twin = (indexes.get(collection) ?? []).find(({ key, hidden }) => hidden === true && keyText(key) === keyText(index?.key ?? {}));
  return {
    ...step, why: twin?.name === undefined ? why : `${why}; ${toUnhiding(collection, twin.name)}`, effect, documents,
    time: index === undefined ? undefined : toBuildTime(documents, documents === 0 ? 0 : await bytesOf(database, collection, documents)),
    bytes: index === undefined || kind === 'odd documents' ? 0 : documents * toEntryBytes(index.key),
    by: isOwnStep(step, now) ? 'start' : 'apply',
  };
}

/** The server builds no second index of the same key. */
function toUnhiding(collection: string, name: string): string {
  const unhiding = `db.getCollection(${JSON.stringify(collection)}).unhideIndex(${JSON.stringify(name)})`;
  return `an index of this key is there and hidden: ${unhiding} instead, by whoever hid it, is what lets it serve`;
}

/** A guess: an id and its frame, and short values. */
function toEntryBytes(key: Document): number {
  return 24 + 12 * Object.keys(key).length;
}

interface Words {
  readonly why: string;
  readonly effect: string;
}

const ofOurOwn: Words = {
  why: 'the epoch, cursors, one-use nonces and idempotency records lie in it; without it nothing is written through Tombolo',
  effect: 'none: other programs have no use for it',
};

const words: Readonly<Record<StepKind, Words>> = {
  collection: {
    why: 'it is declared and not there',
    effect: 'it will be Tombolo\'s own: the database checks the declared types of whoever writes to it',
  },
  expiry: ofOurOwn,
  images: {
    why: 'a change then says what the document was before; without, each change by others expires every cached answer of the ' +
      'resource, and live feeds say resync',
    effect: 'each update and delete also stores the document as it was, for as long as the change log: more is written to disk',
  },
  validator: {
    why: 'the database then refuses what the schema does not allow, whoever writes',
    effect: 'inserts and updates of other programs that do not fit fail with code 121',
  },
  index: {
    why: 'lists of a declared shape walk it; without, they answer 503 shape_not_ready',
    effect: 'reads and writes go on while it is built; from then on each write keeps it, and takes a little longer',
  },
  unique: {
    why: 'it keeps two documents from having one key, whoever writes; without, writes of that key answer 503 unique_not_ready',
    effect: 'inserts and updates of other programs that would make a second one fail with code 11000; it cannot be built while ' +
      'documents share a key',
  },
  'narrower validator': {
    why: 'what is set also takes what an earlier declaration allowed; a start only ever widens it, so that versions that run together ' +
      'refuse none of each other\'s writes',
    effect: 'inserts and updates that do not fit fail with code 121, also those of an origin that still runs an earlier version: ' +
      'apply it when none does',
  },
  'unwanted index': {
    why: 'Tombolo made it, and no declared shape walks it any more; each write keeps it all the same',
    effect: 'an origin that still runs a version whose shapes walk it answers 503 shape_not_ready for them, and builds it again where ' +
      'the collection is Tombolo\'s own: apply it when none does',
  },
  'odd documents': {
    why: 'it finds documents that hold arrays or objects where plain values are declared; without, lists leave such documents out',
    effect: 'next to none: it holds those documents alone',
  },
};
