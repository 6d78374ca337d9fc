import { formatBytes } from './format-bytes.js';
import { type Column, details, table, text, toned, type View } from './views.js';

interface Share {
  readonly id: string;
  readonly state: 'begun' | 'shared' | 'expired' | 'revoked';
  readonly region: string;
  readonly link_expires_at: string | null;
  readonly revoked_at: string | null;
}

interface EncryptedFile {
  readonly recipients: readonly string[] | null;
  readonly sha256: string;
  readonly bytes: number;
}

interface ListedPackage {
  readonly id: string;
  readonly request: string;
  readonly made_at: Date;
  readonly made_by: string;
  readonly bytes: number;
  readonly encrypted: EncryptedFile | null;
  readonly shares: readonly Share[];
}

/** A package that was never shared has a row too. */
export interface ShareRow extends Omit<ListedPackage, 'shares'> {
  readonly share: Share | undefined;
}

/** One row a share. */
export function shareRows(packages: readonly ListedPackage[]): ShareRow[] {
  return packages.flatMap(({ shares, ...one }): ShareRow[] =>
    shares.length === 0 ? [{ ...one, share: undefined }] : shares.map((share) => ({ ...one, share })),
  );
}

/** Keys are long, and known again by their ends. */
const shortKey = (key: string) => `${key.slice(0, 10)}…${key.slice(-6)}`;

const instant = (time: string | null | undefined) => (time ? new Date(time) : null);

export const SHARE_COLUMNS: readonly Column<ShareRow>[] = [
  { name: 'request', value: ({ request }) => request, keep: true },
  { name: 'package', value: ({ id }) => id, keep: true },
  { name: 'made', value: ({ made_at }) => made_at },
  {
    name: 'share',
    value: ({ share }) =>
      share === undefined
        ? 'never shared'
        : share.state === 'expired' || share.state === 'begun'
          ? toned('warn', `${share.state}, not removed`)
          : share.state,
    raw: ({ share }) => share?.state ?? null,
    keep: true,
  },
  { name: 'link until', value: ({ share }) => instant(share?.link_expires_at), keep: true },
  {
    name: 'encrypted to',
    value: ({ encrypted }) =>
      encrypted === null ? null : (encrypted.recipients?.map(shortKey).join(', ') ?? 'a passphrase'),
    raw: ({ encrypted }) => (encrypted === null ? null : (encrypted.recipients?.join(' ') ?? 'a passphrase')),
    keep: true,
  },
  { name: 'revoked', value: ({ share }) => instant(share?.revoked_at) },
  { name: 'downloads', value: ({ share }) => (share === undefined ? null : 'unknown') },
  { name: 'region', value: ({ share }) => share?.region, extra: true },
  {
    name: 'size',
    value: ({ encrypted, bytes }) => formatBytes(encrypted?.bytes ?? bytes),
    raw: ({ encrypted, bytes }) => encrypted?.bytes ?? bytes,
    extra: true,
  },
  { name: 'made by', value: ({ made_by }) => made_by, extra: true },
];

interface Planned {
  readonly package: {
    readonly id: string;
    readonly request: string;
    readonly package_sha256: string;
    readonly encrypted: EncryptedFile | null;
  };
  readonly file: string;
  readonly size: number;
  readonly place: string;
  readonly region: string;
  readonly goes_on: boolean;
}

export function sharePlanViews(plan: Planned, lasts: string): View[] {
  const { request, id, package_sha256, encrypted } = plan.package;
  return [
    details({
      ...{ request, package: id, sha256: encrypted?.sha256 ?? package_sha256, size: formatBytes(plan.size) },
      ...(encrypted === null ? {} : { 'encrypted to': encrypted.recipients?.join(' ') ?? 'a passphrase' }),
      ...{ to: plan.place, region: plan.region, 'link lasts': lasts },
    }),
    ...(plan.goes_on ? [text('An earlier try that was interrupted is gone on with.')] : []),
  ];
}

export function sharedViews(shared: {
  readonly request: string;
  readonly link: string;
  readonly expires_at: Date;
  readonly region: string;
  readonly encryption: string;
  readonly evidence: string;
}): View[] {
  return [
    text(`The package for ${shared.request} lies in the store, and was read back whole.`, { mark: 'good' }),
    details({
      'link until': shared.expires_at,
      ...{ region: shared.region, encryption: shared.encryption, evidence: shared.evidence },
    }),
    text('Whoever has the link can fetch it. It is told now, and kept nowhere:'),
    text(shared.link),
  ];
}

export function revocationPlanViews(plan: {
  readonly place: string;
  readonly shares: readonly (Share & { readonly package: string; readonly objects: number })[];
}): View[] {
  return [
    details({ from: plan.place }),
    table(
      plan.shares,
      [
        { name: 'package', value: (share) => share.package, keep: true },
        { name: 'share', value: ({ state }) => state },
        { name: 'link until', value: (share) => instant(share.link_expires_at), keep: true },
        { name: 'to delete', value: ({ objects }) => objects, align: 'right', keep: true },
      ],
      'Nothing is shared that is not revoked.',
    ),
  ];
}
