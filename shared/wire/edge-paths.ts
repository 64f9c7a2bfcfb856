/** The paths that the edge answers itself, and the files beside the Worker that it hands out. */

export const edgePaths = {
  health: '/health',
  live: '/live',
  ready: '/ready',
  openapi: '/openapi.json',
  /** Where people read the description of the API, by a script of its own. */
  docs: '/docs',
  docsScript: '/docs/scalar.js',
  tickets: '/live/tickets',
  usage: '/usage',
} as const;

/** The file that describes the API in a version of this name, with what is below `/auth` where people are on. */
export function descriptionFile(version: string, hasPeople: boolean): string {
  return `/openapi/${version}${hasPeople ? '.people' : ''}.json`;
}
