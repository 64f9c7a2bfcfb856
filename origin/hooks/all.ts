/** The team's own hooks. A new one is a file beside this, named by its resource, and a word here. */
import type { BeforeWrite } from '../documents/before-write.ts';

export const beforeWrites: readonly BeforeWrite[] = [];
