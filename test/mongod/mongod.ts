/** The way into the package: what tests outside may use. Everything else is its own affair. */
export { JumpingClock } from './clock.ts';
export { type CommandFault, drawFor, type Faults } from './faults.ts';
export type { Moment } from './encounters.ts';
export { type MongodOptions, type Server, startMongod } from './server.ts';
export { toToken } from './changes/token.ts';
export type { Member } from './replica/member.ts';
export type { Operation, OplogEntry } from './replica/oplog.ts';
export type { Doc } from './values/types.ts';
