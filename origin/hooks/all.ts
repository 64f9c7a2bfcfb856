/** The team's own hooks. A new one is a file beside this, and a word here. */
import type { AfterCommit } from '../after-commit/after-commit.ts';
import type { BeforeWrite } from '../documents/before-write.ts';

export const beforeWrites: readonly BeforeWrite[] = [];

export const afterCommits: readonly AfterCommit[] = [];
