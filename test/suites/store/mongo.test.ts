import { openMongoPlace } from './mongo-place.ts';
import { storeSuite } from './suite.ts';

// MongoDB refuses a document, or the index, where two fields of one index hold arrays.
storeSuite('mongodb', openMongoPlace, ({ indexes }, document) =>
  indexes.every(
    ({ equal, has, sort }) =>
      new Set([...equal, has, ...sort.map(({ field }) => field)].filter((field) => field !== undefined && Array.isArray(document[field])))
        .size <= 1,
  ),
);
