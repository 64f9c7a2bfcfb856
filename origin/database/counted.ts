/** How many documents of each table a backup has, in words: tables without any are not named. */
export function toCounted(documents: Readonly<Record<string, number>>): readonly string[] {
  const counted = Object.entries(documents).flatMap(([name, count]) => (count === 0 ? [] : [`${name} ${count}`]));
  return counted.length === 0 ? ['no documents'] : counted;
}
