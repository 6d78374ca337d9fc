/** `ok`, or the code of the error that the work ends with: a SQLSTATE, or one of the console's. */
export const outcomeCode = (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => 'ok',
    (error: { readonly code?: string }) => error.code,
  );
