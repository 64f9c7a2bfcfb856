/** The team's own hooks. A new one is a file beside this, and a word here. */
import type { AfterCommit } from '../after-commit/after-commit.ts';
import { type Departing, departing } from '../departures/departing.ts';
import type { BeforeWrite } from '../documents/before-write.ts';
import type { ReadModel } from '../read-models/read-model.ts';
import { reviews } from '../../shared/resources/reviews.ts';
import { filmRatingsOfReviews } from './film-ratings.ts';

export const beforeWrites: readonly BeforeWrite[] = [];

export const afterCommits: readonly AfterCommit[] = [];

export const readModels: readonly ReadModel[] = [filmRatingsOfReviews];

/** What goes with an account that is deleted. */
export const departings: readonly Departing[] = [departing({ of: reviews, by: 'author', fate: 'remove' })];
