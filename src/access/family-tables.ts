/** The tables whose rows belong to a family, with the resource by which permissions name each. */
export const FAMILY_TABLES = {
  families: 'family',
  family_members: 'members',
  family_invitations: 'invitations',
  children: 'children',
  emergency_profiles: 'emergency',
  inventory_items: 'inventory',
  usage_logs: 'usage',
  reorder_suggestions: 'reorder',
  analytics_events: 'events',
  usage_analytics: 'analytics',
} as const;
export type FamilyTable = keyof typeof FAMILY_TABLES;
