/** The Worker: the pipeline over what is served, and the Durable Object that keeps generations. */
import { served } from '../shared/resources/all.ts';
import { pipeline } from './pipeline.ts';

export { Coordinator } from './coordinator/generations.object.ts';
export default pipeline(served);
