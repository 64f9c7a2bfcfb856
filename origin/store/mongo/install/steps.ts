/**
 * What the declaration asks of the database and is not there yet, as commands that anybody could give in mongosh. A start
 * does those that are about what Tombolo owns; the others are pending until `npm run apply` (SEMANTICS §15).
 */
import type { Document, IndexDescriptionInfo } from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { IndexSpec } from '../../../../shared/contract/shapes.ts';
import type { Deployment } from '../connection/server-checks.ts';
import { isIdAlone, toIndexKey } from '../read/branch-query.ts';
import { oddFilter } from '../read/odd-documents.ts';
import { unwantedIndexes } from './added-indexes.ts';
import { toValidation } from './document-checks.ts';
import { isSpecial, keyText, servingIndex, simpleCollation } from './index-match.ts';
import { joinedValidation } from './joined-validation.ts';
import { servingOddIndex, toOddIndex } from './odd-index.ts';
import type { Ownership } from './ownership.ts';
import { isCollated, isPlain, type Survey } from './survey.ts';
import { neededNames, onceName, systemNames } from './system-records.ts';
import { servingUniqueIndex, toUniqueIndex } from './unique-index.ts';

export type StepKind = 'collection' | 'expiry' | 'images' | 'validator' | 'index' | 'odd documents' | 'unique' | NarrowingKind;

/** What would refuse or slow down another version of the contract that still runs: for `npm run apply`, whosever the collection is. */
type NarrowingKind = 'narrower validator' | 'unwanted index';

export interface Step {
  /** How the log, `/ready`, refusals and the plan call it. */
  readonly name: string;
  readonly kind: StepKind;
  readonly collection: string;
  /** Doing it twice does it once. */
  readonly command: Document;
  /** `undefined`: another step makes what this changes. */
  readonly undo: Document | undefined;
}

const images: Document = { changeStreamPreAndPostImages: { enabled: true } };

interface Asked {
  readonly resources: readonly Resource[];
  readonly deployment: Deployment;
  readonly ownership: Ownership;
}

/** In the order in which they are to be done. */
export function toSteps(there: Survey, { resources, deployment, ownership }: Asked): readonly Step[] {
  // Epoch, cursors, nonces and records belong to writes and to the feed, which a standalone does not have.
  const isStandalone = deployment === 'standalone';
  return [
    ...(isStandalone ? [] : systemSteps(there)),
    ...resources.flatMap((resource) => {
      const isAdopted = ownership.adopted.has(resource.collection);
      const validation = isAdopted && there.found.has(resource.collection) ? {} : toValidation(resource);
      const wanted = { ...(isStandalone ? {} : images), ...validation };
      return [...collectionSteps(there, resource, wanted), ...indexSteps(there, resource), ...unwantedSteps(there, resource)];
    }),
  ];
}

/** Whether a start does it: on collections that Tombolo made, once it is installed. */
export function isOwnStep({ kind, collection }: Step, { isInstalled, owned }: Ownership): boolean {
  if (kind === 'narrower validator' || kind === 'unwanted index') return false;
  return isInstalled && (owned.has(collection) || systemNames.includes(collection));
}

function systemSteps({ found, indexes }: Survey): readonly Step[] {
  const isExpiring = (indexes.get(onceName) ?? []).some(({ expireAfterSeconds }) => expireAfterSeconds === 0);
  return [
    ...neededNames.filter((name) => !found.has(name)).map((name) => toCollection(name, {})),
    ...(isExpiring ? [] : [toIndexStep('expiry', onceName, { key: { expiresAt: 1 }, name: 'expiresAt_1', expireAfterSeconds: 0 })]),
  ];
}

function collectionSteps({ found }: Survey, { collection: name }: Resource, wanted: Document): readonly Step[] {
  const info = found.get(name);
  if (info === undefined) return [toCollection(name, wanted)];
  const there: Document = info.options ?? {};
  const { changeStreamPreAndPostImages: wantedImages, ...validation } = wanted;
  const lacks = (options: Document) => Object.entries(options).some(([option, value]) => !Bun.deepEquals(there[option], value));
  const { validator, validationLevel, validationAction } = there;
  const widened = 'validator' in validation ? joinedValidation(there, validation) : {};
  return [
    ...(wantedImages !== undefined && lacks(images)
      ? [{
          name: `${name}: images`, kind: 'images', collection: name, command: { collMod: name, ...images },
          undo: { collMod: name, changeStreamPreAndPostImages: { enabled: false } },
        } as const]
      : []),
    ...(lacks(widened)
      ? [{
          name: `${name}: validator`, kind: 'validator', collection: name, command: { collMod: name, ...widened }, undo: undefined,
        } as const]
      : []),
    ...(Bun.deepEquals(widened, validation)
      ? []
      : [{
          name: `${name}: narrower validator`, kind: 'narrower validator', collection: name, command: { collMod: name, ...validation },
          undo: { collMod: name, validator, validationLevel, validationAction },
        } as const]),
  ];
}

function indexSteps({ found, indexes }: Survey, resource: Resource): readonly Step[] {
  if (found.has(resource.collection) && !isPlain(found.get(resource.collection))) return [];
  const there = indexes.get(resource.collection) ?? [];
  const order = isCollated(found.get(resource.collection)) ? { collation: simpleCollation } : {};
  // Two access paths may walk the same key, one with its first field pinned.
  const wanted = new Map(resource.indexes.map((spec) => [keyText(toIndexKey(resource, spec)), spec]));
  const isThere = (spec: IndexSpec) => isIdAlone(toIndexKey(resource, spec)) || servingIndex(resource, there, spec) !== undefined;
  const missing = [...wanted.values()].filter((spec) => !isThere(spec));
  return [
    ...missing.map((spec) => ({
      ...toIndexStep('index', resource.collection, { key: toIndexKey(resource, spec), name: toFreeName(resource, there, spec), ...order }),
      name: `${resource.collection}: index ${spec.name}`,
    })),
    ...oddSteps(resource, there),
    ...uniqueSteps(resource, there),
  ];
}

/** Others may have given the name to an index of another key or of other options, which stays. One that is merely hidden is the same. */
function toFreeName(resource: Resource, there: readonly IndexDescriptionInfo[], spec: IndexSpec): string {
  const key = keyText(toIndexKey(resource, spec));
  const isTaken = (name: string) => there.some((index) => index.name === name && (keyText(index.key) !== key || isSpecial(index)));
  const free = (name: string): string => (isTaken(name) ? free(`${name}_`) : name);
  return free(spec.name);
}

function oddSteps(resource: Resource, there: readonly IndexDescriptionInfo[]): readonly Step[] {
  const filter = oddFilter(resource);
  if (filter === undefined || servingOddIndex(there, filter) !== undefined) return [];
  return [toIndexStep('odd documents', resource.collection, toOddIndex(there, filter))];
}

function uniqueSteps(resource: Resource, there: readonly IndexDescriptionInfo[]): readonly Step[] {
  const missing = resource.unique.filter((unique) => servingUniqueIndex(resource, there, unique) === undefined);
  return missing.map((unique) => ({
    ...toIndexStep('unique', resource.collection, toUniqueIndex(resource, there, unique)),
    name: `${resource.collection}: unique ${unique.name}`,
  }));
}

function unwantedSteps(there: Survey, resource: Resource): readonly Step[] {
  const { collection } = resource;
  return unwantedIndexes(there, resource).map(({ v: _version, ns: _namespace, ...index }) => ({
    name: `${collection}: drop index ${index.name}`, kind: 'unwanted index', collection,
    command: { dropIndexes: collection, index: index.name }, undo: { createIndexes: collection, indexes: [index] },
  }));
}

function toCollection(name: string, options: Document): Step {
  return { name: `${name}: collection`, kind: 'collection', collection: name, command: { create: name, ...options }, undo: { drop: name } };
}

function toIndexStep(kind: StepKind, collection: string, index: Document & { readonly name: string }): Step {
  return {
    name: `${collection}: index ${index.name}`, kind, collection,
    command: { createIndexes: collection, indexes: [index] }, undo: { dropIndexes: collection, index: index.name },
  };
}
