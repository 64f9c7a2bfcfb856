/** Where people read the description of the API. */

export const docsPath = '/docs';
/** The script of that page: a file beside the Worker, handed out by it. */
export const docsScriptPath = '/docs/scalar.js';
