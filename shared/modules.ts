/** THE list: what Tombolo can do, one word a line. The compiler asks for a handler for each row (`origin/execute.ts`). */
import { documents } from './operations/documents.ts';
import { moduleList, type RowsOf } from './operations/module.ts';

export const modules = moduleList({
  documents: { operations: documents },
});

export type ModuleRows = RowsOf<typeof modules>;
