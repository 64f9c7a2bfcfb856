/** What every engine must do. MongoDB and SQLite run the same. */
import { describe } from 'bun:test';
import { feedSuite } from './feed-suite.ts';
import type { OpenPlace } from './harness.ts';
import { heldSuite } from './held-suite.ts';
import { internalSuite } from './internal-suite.ts';
import { listSuite, movingSuite } from './list-suite.ts';
import { namingSuite } from './naming-suite.ts';
import { pathsSuite } from './paths-suite.ts';
import { revisionSuite } from './revision-suite.ts';
import { tallySuite } from './tally-suite.ts';
import { togetherSuite } from './together-suite.ts';
import { uniqueSuite } from './unique-suite.ts';
import { writeSuite } from './write-suite.ts';

export function storeSuite(engine: string, open: OpenPlace, holds: Parameters<typeof listSuite>[1] = () => true): void {
  describe(`store on ${engine}`, () => {
    writeSuite(open);
    revisionSuite(open);
    togetherSuite(open);
    uniqueSuite(open);
    namingSuite(open);
    internalSuite(open);
    listSuite(open, holds);
    tallySuite(open, holds);
    movingSuite(open);
    pathsSuite(open);
    feedSuite(open);
    heldSuite(open, holds);
  });
}
