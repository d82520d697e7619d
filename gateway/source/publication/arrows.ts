/**
 * Every arrow between inbox and DMP, told on a diagnostics channel: an observer in the same process (a tracer, a test that
 * pulls the plug) sees the exact instant; with none the cost is one comparison.
 */
import { channel } from 'node:diagnostics_channel';

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

const arrows = channel('drimbox:publication');

export function arrow(name: ArrowName, subject: string): void {
  if (arrows.hasSubscribers) arrows.publish({ arrow: name, subject });
}
