import { listSuite } from './list-suite.ts';
import { openSqlitePlace } from './sqlite-place.ts';

listSuite(openSqlitePlace);
