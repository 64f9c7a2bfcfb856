/**
 * What an undo leaves, since nobody can tell whose it is: what is as the plan has it and was not made by `npm run apply` but by
 * hand, or by others for themselves (SEMANTICS §15). Each with the command that takes it out, for whoever knows.
 */
import type { Resource } from '../../../../shared/contract/resource.ts';
import { addedName, isAsDeclared, isListed } from './added-indexes.ts';
import type { Survey } from './survey.ts';

export interface Left {
  readonly collection: string;
  readonly what: string;
  readonly undo: object;
}

interface Asked {
  readonly resources: readonly Resource[];
  readonly there: Survey;
  /** The collections that stay, and are of others. */
  readonly isAsked: (collection: string) => boolean;
}

export function leftBehind({ resources, there, isAsked }: Asked): readonly Left[] {
  const asked = resources.filter(({ collection }) => isAsked(collection) && there.found.has(collection));
  return asked.flatMap((resource) => madeByHand(there, resource));
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
