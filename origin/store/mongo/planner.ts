/** The plan of a MongoDB. */
import type { Resource } from '../../../shared/contract/resource.ts';
import { asStored } from '../../../shared/contract/as-stored.ts';
import { defaultSteps } from '../examination/default-steps.ts';
import type { Planner } from '../planned.ts';
import type { Target } from './install/install.ts';
import { ownershipOf } from './install/ownership.ts';
import { applyPlan, isInstalled, planOf } from './install/plan.ts';
import { survey } from './install/survey.ts';
import { servingUniqueIndex } from './install/unique-index.ts';
import { examineCollection } from './read/examined-documents.ts';
import { sharedKeysIn } from './read/shared-keys.ts';
import { toDefaultCommands } from './write/default-updates.ts';
import { fillDefaults } from './write/fill-defaults.ts';
import { filledIn, undoFill } from './write/undo-fill.ts';

export function mongoPlanner(target: Target): Planner {
  const { database, resources, deployment } = target;
  let adopted: Promise<ReadonlySet<string>> | undefined;
  const asThere = async (resource: Resource): Promise<Resource> => {
    adopted ??= survey(database, resources).then((there) => ownershipOf(there, resources).adopted);
    return asStored(resource, await adopted);
  };
  return {
    place: `the database "${database.databaseName}"`,
    steps: () => planOf(target),
    examine: async (resource, isFull) => examineCollection(database, await asThere(resource), isFull),
    async sharedKeys(resource, isFull) {
      if (resource.unique.length === 0) return [];
      const { indexes } = await survey(database, resources);
      const there = indexes.get(resource.collection);
      const open = there === undefined ? [] : resource.unique.filter((unique) => servingUniqueIndex(resource, there, unique) === undefined);
      return Promise.all(open.map((unique) => sharedKeysIn(database, resource, unique, isFull)));
    },
    async defaultSteps(resource, examination) {
      const documents = await database.collection(resource.collection).estimatedDocumentCount();
      return defaultSteps(resource, examination, { documents, commandsOf: (place) => toDefaultCommands(resource, place) });
    },
    apply: (onStep) => applyPlan(target, randomEpoch(), ({ name }) => onStep(name)),
    fill: (resource) => fillDefaults(database, resource),
    filledIn: (collection) => filledIn(database, (name) => name === collection),
    undoFill: (collection) => undoFill(database, (name) => name === collection),
    isNoted: async () => deployment === 'standalone' || (await isInstalled(target)),
  };
}

function randomEpoch(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString('hex');
}
