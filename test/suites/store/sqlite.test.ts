import { openSqlitePlace } from './sqlite-place.ts';
import { storeSuite } from './suite.ts';

storeSuite('sqlite', openSqlitePlace);
