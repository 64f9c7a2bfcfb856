/**
 * What an undo leaves, since nobody can tell whose it is: what is as the plan has it and was not made by `npm run apply` but by
 * hand, or by others for themselves, and on a standalone defaults that were filled in (SEMANTICS §15). Each with the command
 * that takes it out, for whoever knows.
 */
import { BSON, type Db, type Document } from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { addedName, isAsDeclared, isListed } from './added-indexes.ts';
import type { Survey } from './survey.ts';
import { filledOf } from './system-records.ts';

export interface Left {
  readonly collection: string;
  readonly what: string;
  /** `undefined`: no command can. */
  readonly undo: object | undefined;
}

interface Asked {
  readonly database: Db;
  readonly resources: readonly Resource[];
  readonly there: Survey;
  /** The collections that stay, and are of others. */
  readonly isAsked: (collection: string) => boolean;
}

export async function leftBehind({ database, resources, there, isAsked }: Asked): Promise<readonly Left[]> {
  const asked = resources.filter(({ collection }) => isAsked(collection) && there.found.has(collection));
  return [...asked.flatMap((resource) => madeByHand(there, resource)), ...(await filled(database, there, isAsked))];
}

function madeByHand({ found, list, indexes }: Survey, resource: Resource): readonly Left[] {
  const { collection } = resource;
  const added = list?.added?.[addedName(collection)];
  const byHand = (indexes.get(collection) ?? []).filter((index) => isAsDeclared(resource, index) && !isListed(added?.indexes ?? [], index));
  const hasImages = found.get(collection)?.options?.['changeStreamPreAndPostImages']?.enabled === true && added?.images !== true;
  return [
    ...byHand.map(({ name }) => ({
      collection, what: `the index ${name} is as the plan has it, and npm run apply did not make it: made by hand, or others' own`,
      undo: { dropIndexes: collection, index: name },
    })),
    ...(hasImages
      ? [{
          collection, what: 'it keeps images from before changes, and npm run apply did not turn them on: done by hand, or others\' own',
          undo: { collMod: collection, changeStreamPreAndPostImages: { enabled: false } },
        }]
      : []),
  ];
}

async function filled(database: Db, { found }: Survey, isAsked: Asked['isAsked']): Promise<readonly Left[]> {
  const records = await filledOf(database).find({ documents: { $gt: 0 } }, { sort: { collection: 1, path: 1 } }).toArray();
  const there = records.filter(({ collection }) => isAsked(collection) && found.has(collection));
  return there.map(({ collection, path, documents, at, undo }) => ({
    collection,
    what: `${path} was given to documents that lacked it (up to ${documents}, the last on ${at.toISOString()}); ${
      undo === undefined ? 'each got its own, so no command finds them' : 'the command takes it out, also where others wrote the same'}`,
    undo: undo === undefined ? undefined : (BSON.EJSON.parse(undo) as Document),
  }));
}
