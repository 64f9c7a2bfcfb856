/** In the data directory, beside the embedded database. Nothing else is imported here: a backup copies people who are switched off. */
export const peopleFileName = 'people.sqlite';
