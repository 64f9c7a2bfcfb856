/**
 * Read preference and read concern of a resource, by MongoDB's names. Whatever is read is at or after the position
 * that the answer states: a secondary that is behind is waited for. SQLite has one place to read from.
 */
import type { Choices } from './choices.ts';

export interface ResourceReads {
  readonly preference: 'primary' | 'primaryPreferred' | 'secondary' | 'secondaryPreferred' | 'nearest';
  /** `local`: also what no majority has yet, and what an election may take back. */
  readonly concern: 'majority' | 'local';
}

export const readChoices: Choices<ResourceReads> = {
  preference: ['primary', 'primaryPreferred', 'secondary', 'secondaryPreferred', 'nearest'],
  concern: ['majority', 'local'],
};
