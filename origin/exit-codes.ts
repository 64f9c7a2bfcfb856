/** How programs end that did not do what was asked; sysexits(3). */

/** The configuration is wrong. */
export const exitConfiguration = 78;
/** Other processes have the database, until they end; sysexits calls it unavailable. */
export const exitOthers = 69;
/** The command was used wrongly. */
export const exitUsage = 64;
/** What it was given is wrong. */
export const exitData = 65;
/** A service that it needs does not do what it is asked. */
export const exitUnavailable = 69;
/** An error of the program itself. */
export const exitSoftware = 70;
