/** Every step between inbox and DMP, in the order in which a report passes them: where a gateway may be killed and must lose nothing. */
export const arrowNames = [
  'message-read',
  'inbox-committed',
  'acknowledged',
  'intake-committed',
  'pacs-answered',
  'kos-built',
  'draft-committed',
  'dmp-called',
  'dmp-answered',
  'archive-committed',
] as const;

export type ArrowName = (typeof arrowNames)[number];
