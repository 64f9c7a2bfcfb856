/** Whether the text is the origin of a page as a browser sends it (RFC 6454 §6.2): no opaque one, and no pattern for several. */
export function isOriginOfPage(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text && !text.includes('*');
}
