/**
 * Whether a text holds a connection string with a password in it: `postgres://user:secret@host/db`, `?password=…`, or
 * `host=… password=…`. Takes time in proportion to its length, whatever it is.
 */
export function holdsPassword(text: string): boolean {
  if (/[?&](ssl)?password=[^&\s]/i.test(text)) return true;
  if (/\b(host|hostaddr|dbname|user)=/i.test(text) && /(^|[\s'"])password=\S/i.test(text)) return true;
  for (const [, authority = ''] of text.matchAll(/:\/\/([^\s/?#]*)/g)) {
    const end = authority.lastIndexOf('@');
    if (end > 0 && authority.lastIndexOf(':', end) >= 0) return true;
  }
  // A password with a slash in it that was not escaped, as they are pasted.
  return text.split(/\s/).some((word) => {
    const [before, ...rest] = word.split(/postgres(?:ql)?:\/\//i);
    const last = rest.join('').lastIndexOf('@');
    return before !== word && last > 0 && rest.join('').lastIndexOf(':', last) >= 0;
  });
}
