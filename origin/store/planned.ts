/** What `npm run plan` and `npm run apply` do and tell, on either engine. */
import type { Resource } from '../../shared/contract/resource.ts';
import type { Examination, Found } from './examination/examination.ts';
import type { SharedKeys } from './shared-keys.ts';

export interface Planner {
  /** The database, for people. */
  readonly place: string;
  /** What the declaration asks of the database itself. */
  steps(): Promise<readonly PlannedStep[]>;
  /** What it means for the documents: of some of them, or of all. `undefined`: there is no place for any. */
  examine(resource: Resource, isFull: boolean): Promise<Examination | undefined>;
  /** Its unique keys that documents may share: those that no unique index of a MongoDB keeps, or all. */
  sharedKeys(resource: Resource, isFull: boolean): Promise<readonly SharedKeys[]>;
  /** What gives documents the defaults that an examination misses. */
  defaultSteps(resource: Resource, examination: Examination): Promise<readonly PlannedStep[]>;
  /** Does the steps; `onStep` is told the name of each before it begins. */
  apply(onStep: (name: string) => void): Promise<void>;
  /** Gives all documents the defaults that they lack. */
  fill(resource: Resource): Promise<Filled | undefined>;
  /** What was given to documents of a collection, is noted, and may be taken out. */
  filledIn(collection: string): Promise<readonly FilledIn[]>;
  /** Takes it out where it is as it was filled in; says what it did, by the same counts. */
  undoFill(collection: string): Promise<readonly FilledIn[]>;
  /** Whether it is noted whose each collection is; steps that somebody did by hand note nothing. */
  isNoted(): Promise<boolean>;
}

export interface PlannedStep {
  /** How the log, `/ready`, refusals and the plan call it. */
  readonly name: string;
  readonly kind: string;
  readonly collection: string;
  /** As anybody could give it by hand; doing it twice does it once. */
  readonly command: object;
  /** `undefined`: another step makes what this changes. */
  readonly undo: object | undefined;
  readonly why: string;
  /** What other programs notice. */
  readonly effect: string;
  /** That are there now, and are read to do it. */
  readonly documents: number;
  /** What an index will take, roughly. */
  readonly bytes: number;
  /** Of an index that is built over documents, guessed; `undefined`: none are read. */
  readonly time: BuildTime | undefined;
  /** `start`: the origin does it by itself. */
  readonly by: 'start' | 'apply';
}

/** A range, wide enough for a small server under load and a large one at rest. */
export interface BuildTime {
  readonly secondsLeast: number;
  readonly secondsMost: number;
}

/** Declared defaults given to stored documents that lacked them. */
export interface Filled {
  readonly resource: string;
  /** How many documents were given what they lacked. */
  readonly documents: number;
  /** Those that the database's own checks refused. */
  readonly refused: Found;
}

/** A default that documents of a collection were given, by what an undo finds. */
export interface FilledIn {
  readonly collection: string;
  /** As stored, parted by dots. */
  readonly path: string;
  /** Documents in which it is as it was filled in, whatever else was written to them: an undo takes it out. */
  readonly documents: number;
  /** Documents in which somebody has written another value: it stays, being theirs. */
  readonly changed: Found;
  /** Documents of which it is out already, or that are gone themselves. */
  readonly gone: number;
  /** Documents of which the database's own checks do not let it be taken out: an undo may be tried again. */
  readonly refused: Found;
  /** What takes it out wherever the value is this one; `undefined` where each document was given a value of its own. */
  readonly undo: object | undefined;
}
