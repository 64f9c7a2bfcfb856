/** The edge as it is, with a bound on imports that a test can pass. The origin keeps its own. */
import { documents } from '../../../shared/operations/documents.ts';

export * from '../../../edge/worker.ts';
export { default } from '../../../edge/worker.ts';

Object.assign(documents.import, { bodyBytesMax: 65_536 });
