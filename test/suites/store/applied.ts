/** What `npm run apply` does, in a database that a test has. */
import type { Db } from 'mongodb';
import { applyPlan } from '../../../origin/store/mongo/install/plan.ts';
import type { Target } from '../../../origin/store/mongo/install/install.ts';
import type { Resource } from '../../../shared/contract/resource.ts';

export function targetIn(database: Db, resources: readonly Resource[]): Target {
  return { database, resources, deployment: 'replica set', patiently: (use) => use(database) };
}

export function applyIn(database: Db, resources: readonly Resource[]): Promise<void> {
  return applyPlan(targetIn(database, resources), 'e'.repeat(16), () => undefined);
}
