import { withFile } from '../../../origin/store/sqlite/planner.ts';
import type { Planner } from '../../../origin/store/planned.ts';
import { planSuite, type PlannedOptions } from './plan-suite.ts';
import { undoSuite } from './undo-suite.ts';
import { openSqlitePlace } from './sqlite-place.ts';

async function open(options: PlannedOptions) {
  const place = await openSqlitePlace(options);
  return Object.assign(place, {
    async planned<T>(_resources: unknown, use: (planner: Planner) => Promise<T>): Promise<T> {
      const results: T[] = [];
      await withFile({ dataDir: place.dataDir, isWritten: true }, async (planner) => void results.push(await use(planner)));
      const [result] = results;
      if (results.length !== 1) throw new Error('there is no file');
      return result as T;
    },
    async membersOf(id: string): Promise<Buffer> {
      const row = place.foreign().query<{ doc: string }, [string]>('SELECT doc FROM boats WHERE id = ?').get(id);
      return Buffer.from(row?.doc.slice(1, -1) ?? '');
    },
  });
}

planSuite('sqlite', open);
undoSuite('sqlite', open);
