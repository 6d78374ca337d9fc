interface Scoped {
  readonly kind: string;
  readonly family_id: string | null;
  readonly user_id: string | null;
}

/** What a grant opens, in the words of the flags that name it. */
export function scopeText({ kind, family_id, user_id }: Scoped): string {
  if (family_id !== null) return `family ${family_id}`;
  if (user_id !== null) return `user ${user_id}`;
  return kind === 'directory' ? 'directory' : 'everything';
}
