/**
 * Every arrow between inbox and DMP, told on a diagnostics channel: an observer in the same process (a tracer, a test that
 * pulls the plug) sees the exact instant; with none the cost is one comparison.
 */
import { channel } from 'node:diagnostics_channel';
import type { ArrowName } from '../../../common/contract/publication-arrows.ts';

const arrows = channel('drimbox:publication');

export function arrow(name: ArrowName, subject: string): void {
  if (arrows.hasSubscribers) arrows.publish({ arrow: name, subject });
}
