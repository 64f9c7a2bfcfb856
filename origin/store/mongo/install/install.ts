/**
 * Does what a start may do of the steps that the declaration asks for (steps.ts), and says what is pending. Idempotent, and
 * safe while another origin does the same. What cannot be put in place of Tombolo's own is gathered and told in one message.
 */
import type { Db, Document } from 'mongodb';
import { holdersOf } from '../../../../shared/contract/path.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { StoreNotReady } from '../../not-ready.ts';
import { askedAtOnce } from '../connection/asked-at-once.ts';
import { codeOf, codes, isPassing } from '../connection/errors.ts';
import type { Deployment } from '../connection/server-checks.ts';
import { isPartlyChecked, oddFilter } from '../read/odd-documents.ts';
import { noteOwnIndexes } from './added-indexes.ts';
import { toForeignIds, toUnfitIds } from './foreign-ids.ts';
import { servingIndex } from './index-match.ts';
import { servingOddIndex } from './odd-index.ts';
import { noteOwnership, type Ownership, ownershipOf } from './ownership.ts';
import { isOwnStep, type Step, type StepKind, toSteps } from './steps.ts';
import { servingUniqueIndex } from './unique-index.ts';
import { isSealed } from './validator-seal.ts';
import { isCollated, isPlain, type Survey, survey } from './survey.ts';

export interface Installed {
  readonly ownership: Ownership;
  /** What is not there and is not for a start to make. */
  readonly pending: readonly Step[];
  /** Whether anything was put in place now. */
  readonly isChanged: boolean;
  /** By collection and name of the index that is asked for: the name of the one that serves. */
  readonly hints: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** By collection and name of the unique key: the name of the index that keeps it. */
  readonly uniqueHints: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** By collection: the name of the index that finds its odd documents. */
  readonly oddHints: ReadonlyMap<string, string>;
  /** Declared collections that have a collation of their own. */
  readonly collated: ReadonlySet<string>;
  /** Collections in which a document may hold what has no order (odd-documents.ts). */
  readonly mayBeOdd: ReadonlySet<string>;
  /** Those of them whose odd documents no index finds: lists leave such documents out. */
  readonly hidesOdd: ReadonlySet<string>;
  /** What is told of documents that no id of their resource names. */
  readonly foreignIds: readonly string[];
}

export interface Target {
  readonly database: Db;
  readonly resources: readonly Resource[];
  readonly deployment: Deployment;
  /** Runs what may take long, on a connection that may be silent for as long. */
  patiently(use: (database: Db) => Promise<void>): Promise<void>;
}

/** Begins again when what was there is gone meanwhile: who drops one collection often drops the next. */
export async function install(target: Target, known?: Installed): Promise<Installed> {
  for (let tries = 1; ; tries++) {
    const there = await survey(target.database, target.resources);
    try {
      return await putInPlace(target, there, known);
    } catch (error) {
      const { found } = await survey(target.database, target.resources);
      if (tries >= triesMax || [...there.found.keys()].every((name) => found.has(name))) throw error;
    }
  }
}

/** Somebody who drops and makes collections without end is told what stands in the way. */
const triesMax = 10;

async function putInPlace(target: Target, there: Survey, known: Installed | undefined): Promise<Installed> {
  const { database, resources, deployment } = target;
  const ownership = ownershipOf(there, resources, known?.ownership);
  const wanted = stepsOf(there, target, ownership, known);
  const own = wanted.filter((step) => isOwnStep(step, ownership) && !isMetDoubles(step, known) && !isLeftToOthers(step, wanted, known));
  if (ownership.isInstalled && deployment !== 'standalone') {
    await whenFree(() => noteOwnership(database, there, ownership));
    await noteOwnIndexes(database, there, { resources, ownership, steps: own });
  }
  const problems = resources.flatMap((each) => toUnfit(there, each));
  if (known === undefined) problems.push(...(await unfitIds(target, there)));
  if (own.length > 0) await target.patiently(async (patient) => void problems.push(...(await runAll(patient, own, deployment))));
  if (problems.length > 0) throw new StoreNotReady(database.databaseName, problems);
  const now = own.length === 0 ? there : await survey(database, resources);
  const pending = stepsOf(now, target, ownership, known);
  const collated = new Set(resources.map(({ collection }) => collection).filter((name) => isCollated(now.found.get(name))));
  const hinted = { hints: toHints(now, resources), oddHints: toOddHints(now, resources), uniqueHints: toUniqueHints(now, resources) };
  const found = { ownership, pending, isChanged: own.length > 0, ...hinted, collated };
  // A look that finds nothing new reads no documents: it comes every few seconds, for as long as anything is pending.
  const isNew = known === undefined || found.isChanged || !Bun.deepEquals(known.pending, pending);
  return isNew ? { ...found, ...(await inspect(target, found)) } : { ...known, ...found };
}

/** An origin that runs has nothing to say of a validator that another version of the contract has set: its own start was content. */
function stepsOf(there: Survey, target: Target, ownership: Ownership, known: Installed | undefined): readonly Step[] {
  const steps = toSteps(there, { ...target, ownership });
  if (known === undefined) return steps;
  return steps.filter(({ kind, collection }) => kind !== 'validator' || !isSealed(there.found.get(collection)?.options));
}

/** A validator that others changed under an origin is for a start or apply to put back; a collection without images, too, is new. */
function isLeftToOthers({ kind, collection }: Step, wanted: readonly Step[], known: Installed | undefined): boolean {
  if (known === undefined || kind !== 'validator') return false;
  return !wanted.some((step) => step.kind === 'images' && step.collection === collection);
}

/** Doubles keep a key from becoming unique, and whoever mends them applies the step: each look would read all documents again. */
function isMetDoubles({ kind, name }: Step, known: Installed | undefined): boolean {
  return kind === 'unique' && known?.pending.some((step) => step.name === name) === true;
}

function isOfDoubles({ kind }: Step, error: unknown): boolean {
  return kind === 'unique' && codeOf(error) === codes.duplicateKey;
}

const inTheWay: ReadonlySet<number | undefined> = new Set([codes.indexOptionsConflict, codes.indexKeySpecsConflict]);

/** What the server refuses, each with what mends it. */
async function runAll(database: Db, steps: readonly Step[], deployment: Deployment): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const step of steps) {
    try {
      await run(database, step);
    } catch (error) {
      // An election is nothing that somebody has to mend.
      if (isPassing(error)) throw error;
      // An index that others have hidden, or have just given our name, stands in the way of ours: the step stays pending.
      if (!inTheWay.has(codeOf(error)) && !isOfDoubles(step, error)) problems.push(explain(step, error, deployment));
    }
  }
  return problems;
}

/** Does one step; `database`: on a connection that waits for it, however long it takes. */
export async function run(database: Db, { command }: Pick<Step, 'command'>): Promise<void> {
  await whenFree(async () => {
    try {
      await database.command({ ...command, writeConcern: { w: 'majority' } });
    } catch (error) {
      // Others have made one meanwhile, or dropped it.
      if (codeOf(error) !== codes.namespaceExists && codeOf(error) !== codes.indexNotFound) throw error;
    }
  });
}

/** A view of others has no images and no indexes to be asked for, and of documents that no id names nothing is served. */
export async function mustBeServable(target: Looked, there: Survey): Promise<void> {
  const { database, resources } = target;
  const problems = [...resources.flatMap((each) => toUnfit(there, each)), ...(await unfitIds(target, there))];
  if (problems.length > 0) throw new StoreNotReady(database.databaseName, problems);
}

type Looked = Pick<Target, 'database' | 'resources'>;

async function unfitIds({ database, resources }: Looked, { found }: Survey): Promise<readonly string[]> {
  const plain = resources.filter(({ collection }) => isPlain(found.get(collection)));
  return (await askedAtOnce(plain, (each) => toUnfitIds(database, each))).flat();
}

function toUnfit({ found }: Survey, { collection: name, idKind }: Resource): readonly string[] {
  const info = found.get(name);
  if (info === undefined) return [];
  if (!isPlain(info)) return [`${name}: is a ${info.type}, and Tombolo serves collections`];
  if (!isCollated(info) || idKind !== 'string') return [];
  return [`${name}: has a collation (${info.options?.['collation']?.locale}), to which ids that callers write differently may be the same`];
}

function toHints({ indexes }: Survey, resources: readonly Resource[]): Installed['hints'] {
  return new Map(resources.map((resource) => {
    const there = indexes.get(resource.collection) ?? [];
    return [resource.collection, new Map(resource.indexes.flatMap((spec) => {
      const serving = servingIndex(resource, there, spec);
      return serving === undefined ? [] : [[spec.name, serving] as const];
    }))];
  }));
}

function toUniqueHints({ indexes }: Survey, resources: readonly Resource[]): Installed['uniqueHints'] {
  return new Map(resources.map((resource) => {
    const there = indexes.get(resource.collection) ?? [];
    return [resource.collection, new Map(resource.unique.flatMap((unique) => {
      const serving = servingUniqueIndex(resource, there, unique);
      return serving === undefined ? [] : [[unique.name, serving] as const];
    }))];
  }));
}

function toOddHints({ indexes }: Survey, resources: readonly Resource[]): Installed['oddHints'] {
  return new Map(resources.flatMap((resource) => {
    const filter = oddFilter(resource);
    const name = filter === undefined ? undefined : servingOddIndex(indexes.get(resource.collection) ?? [], filter);
    return name === undefined ? [] : [[resource.collection, name] as const];
  }));
}

const busyLimits = {
  /** A drop of the database waits for a majority between its collections and itself, an index build as long as it has documents. */
  waitMsMax: 30_000,
  retryMs: 50,
} as const;

/** What others have begun, and the server waits for with a refusal, ends by itself. */
async function whenFree(work: () => Promise<unknown>): Promise<void> {
  const givenUpAtMs = performance.now() + busyLimits.waitMsMax;
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > givenUpAtMs) throw error;
      await Bun.sleep(busyLimits.retryMs);
    }
  }
}

function isBusy(error: unknown): boolean {
  return codeOf(error) === codes.databaseDropPending || codeOf(error) === codes.backgroundOperationInProgress;
}

/** One step that the server refuses, for whoever can mend it. */
export function explain(step: Step, error: unknown, deployment: Deployment): string {
  const { kind, collection } = step;
  switch (kind) {
    case 'expiry':
      return `nonces and idempotency records need their expiry index: ${messageOf(error)}`;
    case 'index':
    case 'odd documents':
    case 'unique': {
      const [index] = step.command['indexes'] as readonly [{ readonly key: Document; readonly name: string }];
      const use = kind === 'unique' ? 'writes of its key are refused' : 'lists that walk it would read everything';
      const lack = `index ${index.name} cannot be built, and ${use}`;
      return `${collection}: ${lack}: ${toMending(collection, index.key, index.name, error)}`;
    }
    default: {
      const parts = deployment === 'standalone' ? 'validator' : 'images (for the change feed) and validator';
      return `${collection}: ${parts} cannot be set: ${messageOf(error)}; grant createCollection and collMod`;
    }
  }
}

/** What stands in the way, and what takes it out, to be pasted into mongosh. */
function toMending(collectionName: string, key: Document, name: string, error: unknown): string {
  const fields = Object.keys(key);
  const collection = `db.getCollection(${JSON.stringify(collectionName)})`;
  switch (codeOf(error)) {
    case codes.duplicateKey: {
      const values = JSON.stringify(Object.fromEntries(fields.map((field) => [field, `$${field}`])));
      const group = `{ $group: { _id: ${values}, ids: { $push: "$_id" }, count: { $sum: 1 } } }`;
      const list = `${collection}.aggregate([${group}, { $match: { count: { $gt: 1 } } }])`;
      return `documents have the same value where it has to be unique; ${list} lists them: remove all but one of each`;
    }
    case codes.parallelArrays: {
      const paths = fields.flatMap((field) => [...holdersOf(field), field]);
      const filter = JSON.stringify({ $or: paths.map((path) => ({ [path]: { $type: 'array' } })) });
      const list = `${collection}.find(${filter})`;
      return `documents hold arrays in two of its fields, which no index can; ${list} lists them: mend those`;
    }
    case codes.indexOptionsConflict: {
      const list = `${collection}.getIndexes()`;
      return `an index of the same key is there that no list can walk, hidden or with options of its own; ${list} names it: ` +
        `if it is hidden, ${collection}.unhideIndex(its name) lets it serve (${messageOf(error)})`;
    }
    case codes.indexKeySpecsConflict:
      return `somebody has meanwhile given the name ${JSON.stringify(name)} to an index of another key; begin again, and ours gets another`;
    default:
      return messageOf(error);
  }
}

async function inspect(
  { database, resources }: Target,
  { pending, oddHints }: Pick<Installed, 'pending' | 'oddHints'>,
): Promise<Pick<Installed, 'mayBeOdd' | 'hidesOdd' | 'foreignIds'>> {
  const lacking = (...kinds: readonly StepKind[]) =>
    new Set(pending.filter(({ kind }) => kinds.includes(kind)).map(({ collection }) => collection));
  const lacksOdd = lacking('odd documents');
  // A validator that takes what an earlier declaration allowed keeps nobody from leaving such a document.
  const mayBeOdd = lacking('odd documents', 'narrower validator');
  const told = await askedAtOnce(resources, async (resource) => {
    if (isPartlyChecked(resource)) mayBeOdd.add(resource.collection);
    const collection = database.collection(resource.collection);
    const filter = oddFilter(resource);
    const hint = oddHints.get(resource.collection);
    if (filter !== undefined && hint !== undefined && (await collection.findOne(filter, { hint, projection: { _id: 1 } })) !== null) {
      mayBeOdd.add(resource.collection);
    }
    return toForeignIds(database, resource);
  });
  const foreignIds = told.filter((line) => line !== undefined);
  return { mayBeOdd, hidesOdd: lacksOdd, foreignIds };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
