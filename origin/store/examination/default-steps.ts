/** The steps that give stored documents the declared defaults which they lack: of `npm run apply` alone, and never of a start. */
import type { Resource } from '../../../shared/contract/resource.ts';
import type { PlannedStep } from '../planned.ts';
import { type DefaultPlace, defaultPlaces, isMadeAnew } from './absences.ts';
import type { Examination } from './examination.ts';

interface Engine {
  /** How many documents there are, and are read. */
  readonly documents: number;
  commandsOf(place: DefaultPlace): Pick<PlannedStep, 'command' | 'undo'>;
}

export function defaultSteps(resource: Resource, examination: Examination, { documents, commandsOf }: Engine): readonly PlannedStep[] {
  return defaultPlaces(resource).flatMap((place) => {
    const path = place.path.join('.');
    const missing = examination.missing.find((each) => each.path === path && each.hasDefault);
    if (missing === undefined) return [];
    const isEach = isMadeAnew(place) ? '; it is made anew for each document, and the command shows one' : '';
    const renamed = examination.renames.find((each) => each.path === path);
    const instead = renamed === undefined ? '' : `; if it is ${renamed.storedAs.join(' or ')} under another name, declare storedAs instead`;
    return [{
      name: `${resource.collection}: default ${path}`, kind: 'default', collection: resource.collection, ...commandsOf(place),
      why: `${missing.count} of the ${examination.documents} documents read lack it, and nobody finds them by it${isEach}${instead}`,
      effect: 'it is set where it is still missing, some hundred documents at a time; the rest of a document stays as it is, its rev too',
      documents, bytes: 0, time: undefined, by: 'apply',
    }];
  });
}
