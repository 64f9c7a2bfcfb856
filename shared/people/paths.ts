/** Where people sign up, sign in and get their tokens (SEMANTICS §20): below `/auth`, which has no version. */
export const peopleRoot = '/auth';

export function isPeoplePath(path: string): boolean {
  return path.startsWith(`${peopleRoot}/`);
}

/** An answer's `Set-Cookie` lines on their way to the edge: a JSON array of texts, because a signature covers one value a name. */
export const setCookiesHeader = 'tombolo-set-cookies';

/** The names of the cookies that go to the origin, and no others of a browser's. */
export const peopleCookie = /^(?:__Host-)?tombolo\./;
